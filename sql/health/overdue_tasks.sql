-- Open tasks past their due date by more than a day (follow-up makes tasks that are due at once). Degraded from a quarter of the open tasks on, critical from half; ten tasks are too few to judge.
-- title en: Overdue tasks
-- title es: Tareas vencidas
-- text en: {overdue} of {open} open tasks for more than a day
-- text es: {overdue} de {open} tareas abiertas desde hace más de un día
SELECT
  NULL::text AS subject,
  CASE WHEN t.overdue < 10 THEN NULL WHEN 2 * t.overdue >= t.open THEN 'critical' WHEN 4 * t.overdue >= t.open THEN 'warning' END AS severity,
  '' AS variant,
  jsonb_build_object('overdue', t.overdue, 'open', t.open)::text AS facts
FROM (
  SELECT count(*) AS open, count(*) FILTER (WHERE due_date < sales_now() - interval '1 day') AS overdue
  FROM sales_followup_tasks
  WHERE status IN ('pending', 'in_progress')
) AS t
