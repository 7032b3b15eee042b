-- Rows that name a deal or an execution of one lead and the ext_id of another. Large tables are sampled by pages.
SELECT
  'error' AS severity,
  o.table_name AS subject,
  format('%s rows name another lead than their %s, for instance id %s', o.rows, o.parent, o.example) AS detail,
  format('%s filas nombran otro lead que su fila de %s, por ejemplo id %s', o.rows, o.parent, o.example) AS detail_es,
  format('UPDATE %I t SET lead_ext_id = p.lead_ext_id FROM %I p WHERE p.id = t.%I AND p.lead_ext_id <> t.lead_ext_id', o.table_name, o.parent, o.key) AS fix
FROM (
  SELECT 'sales_followup_tasks' AS table_name, 'sales_pipeline' AS parent, 'pipeline_id' AS key, count(*) AS rows, min(t.id) AS example
  FROM sales_followup_tasks t TABLESAMPLE SYSTEM (least(100, 100.0 * @sample_pages::int / greatest(pg_relation_size('sales_followup_tasks') / 8192, 1)))
  JOIN sales_pipeline p ON p.id = t.pipeline_id
  WHERE p.lead_ext_id <> t.lead_ext_id
  UNION ALL
  SELECT 'sales_stage_history', 'sales_pipeline', 'pipeline_id', count(*), min(t.id)
  FROM sales_stage_history t TABLESAMPLE SYSTEM (least(100, 100.0 * @sample_pages::int / greatest(pg_relation_size('sales_stage_history') / 8192, 1)))
  JOIN sales_pipeline p ON p.id = t.pipeline_id
  WHERE p.lead_ext_id <> t.lead_ext_id
  UNION ALL
  SELECT 'sales_campaign_executions', 'sales_pipeline', 'pipeline_id', count(*), min(t.id)
  FROM sales_campaign_executions t TABLESAMPLE SYSTEM (
    least(100, 100.0 * @sample_pages::int / greatest(pg_relation_size('sales_campaign_executions') / 8192, 1)))
  JOIN sales_pipeline p ON p.id = t.pipeline_id
  WHERE p.lead_ext_id <> t.lead_ext_id
  UNION ALL
  SELECT 'sales_campaign_events', 'sales_campaign_executions', 'execution_id', count(*), min(t.id)
  FROM sales_campaign_events t TABLESAMPLE SYSTEM (
    least(100, 100.0 * @sample_pages::int / greatest(pg_relation_size('sales_campaign_events') / 8192, 1)))
  JOIN sales_campaign_executions p ON p.id = t.execution_id
  WHERE p.lead_ext_id <> t.lead_ext_id
  UNION ALL
  SELECT 'outbox_messages', 'sales_campaign_executions', 'execution_id', count(*), min(t.id)
  FROM outbox_messages t TABLESAMPLE SYSTEM (least(100, 100.0 * @sample_pages::int / greatest(pg_relation_size('outbox_messages') / 8192, 1)))
  JOIN sales_campaign_executions p ON p.id = t.execution_id
  WHERE p.lead_ext_id <> t.lead_ext_id
) o
WHERE o.rows > 0
