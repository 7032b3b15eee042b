-- Rows of leads that are gone, in the tables that triggers and not foreign keys keep. Large tables are sampled by pages.
SELECT
  'error' AS severity,
  o.table_name AS subject,
  format('%s rows belong to no lead, for instance lead_id %s', o.rows, o.example) AS detail,
  format('%s filas no pertenecen a ningún lead, por ejemplo lead_id %s', o.rows, o.example) AS detail_es,
  format('DELETE FROM %I t WHERE NOT EXISTS (SELECT FROM leads l WHERE l.lead_id = t.lead_id)', o.table_name) AS fix
FROM (
  SELECT 'lead_scores' AS table_name, count(*) AS rows, min(t.lead_id) AS example
  FROM lead_scores t TABLESAMPLE SYSTEM (
    least(100, 100.0 * @sample_pages::int / (SELECT greatest(sum(pg_relation_size(relid)) / 8192, 1) FROM pg_partition_tree('lead_scores'))))
  WHERE NOT EXISTS (SELECT FROM leads l WHERE l.lead_id = t.lead_id)
  UNION ALL
  SELECT 'lead_engagement', count(*), min(t.lead_id)
  FROM lead_engagement t TABLESAMPLE SYSTEM (least(100, 100.0 * @sample_pages::int / greatest(pg_relation_size('lead_engagement') / 8192, 1)))
  WHERE NOT EXISTS (SELECT FROM leads l WHERE l.lead_id = t.lead_id)
  UNION ALL
  SELECT 'lead_model_scores', count(*), min(t.lead_id)
  FROM lead_model_scores t TABLESAMPLE SYSTEM (least(100, 100.0 * @sample_pages::int / greatest(pg_relation_size('lead_model_scores') / 8192, 1)))
  WHERE NOT EXISTS (SELECT FROM leads l WHERE l.lead_id = t.lead_id)
  UNION ALL
  SELECT 'routing_decisions', count(*), min(t.lead_id)
  FROM routing_decisions t TABLESAMPLE SYSTEM (least(100, 100.0 * @sample_pages::int / greatest(pg_relation_size('routing_decisions') / 8192, 1)))
  WHERE NOT EXISTS (SELECT FROM leads l WHERE l.lead_id = t.lead_id)
) o
WHERE o.rows > 0
