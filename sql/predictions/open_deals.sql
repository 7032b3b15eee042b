-- Open deals of a block with what is known about them at @as_of, and the prediction they have: all of them, or those of @deals. A deal whose history
-- begins after @as_of is left out.
WITH block AS MATERIALIZED (
  SELECT p.id
  FROM sales_pipeline p
  WHERE p.stage < 'closed_won' AND p.id BETWEEN @block::bigint << 12 AND (@block::bigint << 12) + 4095 AND (@is_whole OR p.id = ANY (@deals::bigint[]))
  ORDER BY p.id
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
JOIN deal_features((SELECT array_agg(id ORDER BY id) FROM block), (SELECT array_agg(@as_of::timestamptz) FROM block)) AS f ON f.pipeline_id = b.id
LEFT JOIN LATERAL (SELECT r.inputs_hash, r.parts FROM deal_predictions r WHERE r.pipeline_id = b.id OFFSET 0) AS d ON true
LEFT JOIN LATERAL (
  SELECT c.interval_days::double precision AS interval_days FROM lead_contact_timing c WHERE c.lead_ext_id = p.lead_ext_id OFFSET 0) AS t ON true
ORDER BY b.id
