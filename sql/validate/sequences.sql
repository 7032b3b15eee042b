-- Sequences that are behind the ids in their table, as after a restore of data alone: the next INSERT would fail.
SELECT
  'error' AS severity,
  concat(o.table_name, '.id') AS subject,
  format('the next id is not above %s, the highest one', o.highest) AS detail,
  format('el próximo id no supera %s, el más alto', o.highest) AS detail_es,
  format('SELECT setval(pg_get_serial_sequence(%L, %L), %s)', o.table_name, 'id', o.highest) AS fix
FROM (
  SELECT 'sales_pipeline' AS table_name, (SELECT max(id) FROM sales_pipeline) AS highest
  UNION ALL SELECT 'sales_followup_tasks', (SELECT max(id) FROM sales_followup_tasks)
  UNION ALL SELECT 'sales_stage_history', (SELECT max(id) FROM sales_stage_history)
  UNION ALL SELECT 'sales_campaigns', (SELECT max(id) FROM sales_campaigns)
  UNION ALL SELECT 'sales_campaign_executions', (SELECT max(id) FROM sales_campaign_executions)
  UNION ALL SELECT 'sales_campaign_events', (SELECT max(id) FROM sales_campaign_events)
  UNION ALL SELECT 'lead_engagement_events', (SELECT max(id) FROM lead_engagement_events)
  UNION ALL SELECT 'outbox_messages', (SELECT max(id) FROM outbox_messages)
  UNION ALL SELECT 'task_runs', (SELECT max(id) FROM task_runs)
) o
WHERE o.highest > coalesce(pg_sequence_last_value(pg_get_serial_sequence(o.table_name, 'id')::regclass), 0)
