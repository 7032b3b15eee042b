-- The last stage in a deal's history is the stage it is in; forecast and funnel count on it. Last by time or by order of arrival: history may be
-- imported later. Large tables are sampled by pages.
SELECT
  'error' AS severity,
  'sales_stage_history' AS subject,
  format('%s deals are in a stage that their history does not end with, for instance id %s', count(*), min(p.id)) AS detail,
  format('%s oportunidades están en una etapa con la que su historial no termina, por ejemplo id %s', count(*), min(p.id)) AS detail_es,
  'INSERT INTO sales_stage_history (pipeline_id, lead_ext_id, from_stage, to_stage) SELECT p.id, p.lead_ext_id, l.to_stage, p.stage '
    'FROM sales_pipeline p LEFT JOIN LATERAL (SELECT to_stage FROM sales_stage_history h WHERE h.pipeline_id = p.id '
    'ORDER BY changed_at DESC, id DESC LIMIT 1) l ON true WHERE l.to_stage IS DISTINCT FROM p.stage' AS fix
FROM sales_pipeline p TABLESAMPLE SYSTEM (least(100, 100.0 * @sample_pages::int / greatest(pg_relation_size('sales_pipeline') / 8192, 1)))
WHERE NOT EXISTS (
  SELECT
  FROM (
    SELECT
      h.to_stage, h.id = max(h.id) OVER () AS last_to_come, (h.changed_at, h.id) = (max(h.changed_at) OVER (), max(h.id) OVER (PARTITION BY h.changed_at)) AS latest
    FROM sales_stage_history h
    WHERE h.pipeline_id = p.id
  ) h
  WHERE (h.last_to_come OR h.latest) AND h.to_stage = p.stage)
HAVING count(*) > 0
