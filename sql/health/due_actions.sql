-- Campaign steps that were due and not taken. Degraded 4 hours late, two runs of the follow-up DAG; critical a day late.
-- title en: Due campaign steps
-- title es: Pasos de campaña pendientes
-- text en: {due} due, {late} of them for more than 4 h
-- text es: {due} pendientes, {late} desde hace más de 4 h
SELECT
  NULL::text AS subject,
  CASE WHEN d.oldest < sales_now() - interval '24 hours' THEN 'critical' WHEN d.late > 0 THEN 'warning' END AS severity,
  '' AS variant,
  jsonb_build_object('due', d.due, 'late', d.late)::text AS facts
FROM (
  SELECT count(*) AS due, count(*) FILTER (WHERE x.next_action_at < sales_now() - interval '4 hours') AS late, min(x.next_action_at) AS oldest
  FROM sales_campaign_executions x
  JOIN sales_campaigns c ON c.id = x.campaign_id AND c.enabled
  WHERE x.status = 'active' AND x.next_action_at <= sales_now()
) AS d
