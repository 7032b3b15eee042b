-- The next open deals after @after with what is known about them now, and the prediction they have. A deal without features (its history begins
-- after @as_of) comes with nulls, so that the run knows how far it got.
WITH block AS MATERIALIZED (
  SELECT p.id
  FROM sales_pipeline p
  WHERE p.stage < 'closed_won' AND p.id > @after AND abs((p.id >> 13) % @shard_count - @shard_index) < 1
  ORDER BY p.id
  LIMIT @limit
)
SELECT
  b.id, f.*, p.estimated_value, p.score, p.priority, p.probability_pct, t.interval_days, d.inputs_hash, d.parts, p.is_missing
FROM block b
CROSS JOIN LATERAL (
  SELECT
    q.lead_ext_id, q.estimated_value::double precision AS estimated_value, q.score, q.priority::text AS priority, q.probability_pct,
    -- Somebody may have written metadata anew without it.
    coalesce(q.metadata -> 'ml_predictions', 'null') = 'null' AND jsonb_typeof(coalesce(q.metadata, '{}')) = 'object' AS is_missing
  FROM sales_pipeline q
  WHERE q.id = b.id
  OFFSET 0
) AS p
LEFT JOIN deal_features((SELECT array_agg(id ORDER BY id) FROM block), (SELECT array_agg(@as_of::timestamptz) FROM block)) AS f ON f.pipeline_id = b.id
LEFT JOIN LATERAL (SELECT r.inputs_hash, r.parts FROM deal_predictions r WHERE r.pipeline_id = b.id OFFSET 0) AS d ON true
LEFT JOIN LATERAL (
  SELECT c.interval_days::double precision AS interval_days FROM lead_contact_timing c WHERE c.lead_ext_id = p.lead_ext_id OFFSET 0) AS t ON true
ORDER BY b.id
