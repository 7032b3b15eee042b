-- The blocks of this shard that have deals, in order: whether there is anything to look at, and how many deals were open when it was looked at. All of
-- a block is where another day has begun since, models or parameters are others, or a run worked at a later instant.
WITH RECURSIVE known AS (
  (SELECT p.id >> 12 AS block FROM sales_pipeline p ORDER BY p.id LIMIT 1)
  UNION ALL
  SELECT (SELECT p.id >> 12 FROM sales_pipeline p WHERE p.id > (k.block << 12) + 4095 ORDER BY p.id LIMIT 1)
  FROM known k
  WHERE k.block IS NOT NULL
)
SELECT
  k.block,
  b.block IS NULL OR b.settings <> @settings OR b.looked_at > @as_of
    OR (b.looked_at AT TIME ZONE 'UTC')::date <> (@as_of::timestamptz AT TIME ZONE 'UTC')::date
    OR EXISTS (
      SELECT FROM deal_prediction_due d
      WHERE d.pipeline_id BETWEEN k.block << 12 AND (k.block << 12) + 4095 AND d.due_at <= @as_of) AS is_due,
  coalesce(b.deals, 0) AS deals
FROM known k
LEFT JOIN deal_prediction_blocks b USING (block)
WHERE k.block IS NOT NULL AND abs((k.block >> 1) % @shard_count - @shard_index) < 1
ORDER BY k.block
