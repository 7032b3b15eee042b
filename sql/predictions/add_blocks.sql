-- A row for every block that has deals and is not known yet. Steps from block to block, however far apart the deals' ids are.
WITH RECURSIVE known AS (
  (SELECT p.id >> 12 AS block FROM sales_pipeline p ORDER BY p.id LIMIT 1)
  UNION ALL
  SELECT (SELECT p.id >> 12 FROM sales_pipeline p WHERE p.id > (k.block << 12) + 4095 ORDER BY p.id LIMIT 1)
  FROM known k
  WHERE k.block IS NOT NULL
)
INSERT INTO deal_prediction_blocks (block)
SELECT block FROM known WHERE block IS NOT NULL
ORDER BY block
ON CONFLICT (block) DO NOTHING
