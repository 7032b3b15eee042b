-- Rows whose parent is gone although a foreign key forbids it: a restore with triggers switched off, for one. Large tables are sampled by pages.
SELECT
  'error' AS severity,
  o.table_name AS subject,
  format('%s rows point at a missing row of %s, for instance id %s', o.rows, o.parent, o.example) AS detail,
  format('%s filas apuntan a una fila inexistente de %s, por ejemplo id %s', o.rows, o.parent, o.example) AS detail_es,
  format('DELETE FROM %I t WHERE NOT EXISTS (SELECT FROM %I p WHERE %s)', o.table_name, o.parent, o.condition) AS fix
FROM (
  SELECT 'sales_pipeline' AS table_name, 'leads' AS parent, 'p.ext_id = t.lead_ext_id' AS condition, count(*) AS rows, min(t.id) AS example
  FROM sales_pipeline t TABLESAMPLE SYSTEM (least(100, 100.0 * @sample_pages::int / greatest(pg_relation_size('sales_pipeline') / 8192, 1)))
  WHERE NOT EXISTS (SELECT FROM leads p WHERE p.ext_id = t.lead_ext_id)
  UNION ALL
  SELECT 'sales_stage_history', 'sales_pipeline', 'p.id = t.pipeline_id', count(*), min(t.id)
  FROM sales_stage_history t TABLESAMPLE SYSTEM (least(100, 100.0 * @sample_pages::int / greatest(pg_relation_size('sales_stage_history') / 8192, 1)))
  WHERE NOT EXISTS (SELECT FROM sales_pipeline p WHERE p.id = t.pipeline_id)
  UNION ALL
  SELECT 'sales_followup_tasks', 'sales_pipeline', 'p.id = t.pipeline_id', count(*), min(t.id)
  FROM sales_followup_tasks t TABLESAMPLE SYSTEM (least(100, 100.0 * @sample_pages::int / greatest(pg_relation_size('sales_followup_tasks') / 8192, 1)))
  WHERE NOT EXISTS (SELECT FROM sales_pipeline p WHERE p.id = t.pipeline_id)
  UNION ALL
  SELECT 'sales_campaign_executions', 'leads', 'p.ext_id = t.lead_ext_id', count(*), min(t.id)
  FROM sales_campaign_executions t TABLESAMPLE SYSTEM (
    least(100, 100.0 * @sample_pages::int / greatest(pg_relation_size('sales_campaign_executions') / 8192, 1)))
  WHERE NOT EXISTS (SELECT FROM leads p WHERE p.ext_id = t.lead_ext_id)
  UNION ALL
  SELECT 'sales_campaign_events', 'sales_campaign_executions', 'p.id = t.execution_id', count(*), min(t.id)
  FROM sales_campaign_events t TABLESAMPLE SYSTEM (
    least(100, 100.0 * @sample_pages::int / greatest(pg_relation_size('sales_campaign_events') / 8192, 1)))
  WHERE NOT EXISTS (SELECT FROM sales_campaign_executions p WHERE p.id = t.execution_id)
  UNION ALL
  SELECT 'lead_engagement_events', 'leads', 'p.ext_id = t.lead_ext_id', count(*), min(t.id)
  FROM lead_engagement_events t TABLESAMPLE SYSTEM (
    least(100, 100.0 * @sample_pages::int / greatest(pg_relation_size('lead_engagement_events') / 8192, 1)))
  WHERE NOT EXISTS (SELECT FROM leads p WHERE p.ext_id = t.lead_ext_id)
) o
WHERE o.rows > 0
