-- Open deals with tasks that are overdue for @overdue_task_hours (follow-up makes tasks that are due at once: they are not late yet). Critical with
-- an urgent one, warning with a high one, else info.
-- title en: Overdue tasks
-- title es: Tareas vencidas
-- text en: {lead}: {tasks} overdue ({urgent} urgent, {high} high), the oldest for {days} d, {rep}
-- text es: {lead}: {tasks} vencidas ({urgent} urgentes, {high} altas), la más antigua desde hace {days} d, {rep}
INSERT INTO alert_situations (kind, situation_key, severity, owner, lead_ext_id, weight, facts)
SELECT
  'overdue_tasks', p.id::text,
  CASE WHEN t.urgent > 0 THEN 'critical' WHEN t.high > 0 THEN 'warning' ELSE 'info' END::alert_severity,
  p.assigned_to, p.lead_ext_id, t.urgent * 1000000 + t.high * 10000 + t.days,
  jsonb_build_object(
    'lead', p.lead_ext_id, 'tasks', t.tasks, 'urgent', t.urgent, 'high', t.high, 'days', t.days, 'stage', p.stage, 'rep', p.assigned_to)
FROM (
  SELECT
    pipeline_id, count(*) AS tasks, count(*) FILTER (WHERE priority = 'urgent') AS urgent, count(*) FILTER (WHERE priority = 'high') AS high,
    floor(extract(epoch FROM @as_of - min(due_date)) / 86400)::bigint AS days
  FROM sales_followup_tasks
  WHERE status IN ('pending', 'in_progress') AND due_date <= @as_of - @overdue_task_hours::int * interval '1 hour' AND due_date < @as_of
  GROUP BY pipeline_id
) AS t
JOIN sales_pipeline p ON p.id = t.pipeline_id
WHERE p.stage < 'closed_won'
