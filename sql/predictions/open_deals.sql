-- The next open deals after @after with what is known about them now, and the prediction they have. A deal without features (its history begins
-- after @as_of) comes with nulls, so that the run knows how far it got.
WITH block AS MATERIALIZED (
  SELECT p.id
  FROM sales_pipeline p
  WHERE p.stage < 'closed_won' AND p.id > @after AND (p.id >> 13) % @shard_count = @shard_index
  ORDER BY p.id
  LIMIT @limit
)
SELECT
  b.id, f.*, p.estimated_value::double precision AS estimated_value, p.score, p.priority::text AS priority, p.probability_pct, t.interval_days::double precision AS interval_days,
  d.inputs_hash, d.parts,
  -- Somebody may have written metadata anew without it.
  coalesce(p.metadata -> 'ml_predictions', 'null') = 'null' AND jsonb_typeof(coalesce(p.metadata, '{}')) = 'object' AS is_missing
FROM block b
JOIN sales_pipeline p ON p.id = b.id
LEFT JOIN deal_features((SELECT array_agg(id ORDER BY id) FROM block), (SELECT array_agg(@as_of::timestamptz) FROM block)) AS f ON f.pipeline_id = b.id
LEFT JOIN deal_predictions d ON d.pipeline_id = b.id
LEFT JOIN lead_contact_timing t ON t.lead_ext_id = p.lead_ext_id
ORDER BY b.id
