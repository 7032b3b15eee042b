-- Where ml predict has not run since @before_at, all of a block is looked at when it runs again: what is due until then need not be on the list.
WITH RECURSIVE known AS (
  (SELECT p.id >> 12 AS block FROM sales_pipeline p ORDER BY p.id LIMIT 1)
  UNION ALL
  SELECT (SELECT p.id >> 12 FROM sales_pipeline p WHERE p.id > (k.block << 12) + 4095 ORDER BY p.id LIMIT 1)
  FROM known k
  WHERE k.block IS NOT NULL
)
INSERT INTO deal_prediction_blocks AS b (block, looked_at)
SELECT block, @before_at::timestamptz FROM known WHERE block IS NOT NULL
ORDER BY block
ON CONFLICT (block) DO UPDATE
SET settings = '', looked_at = excluded.looked_at, version = b.version + 1
WHERE b.looked_at < excluded.looked_at
