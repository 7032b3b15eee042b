-- Locks some blocks with rows on the list that nobody needs, all of them being to be looked at anyway; a run that has read one reads it again.
UPDATE deal_prediction_blocks b
SET version = version + 1
WHERE b.block IN (
  SELECT s.block
  FROM deal_prediction_blocks s
  WHERE s.settings = '' AND EXISTS (
    SELECT FROM deal_prediction_due d WHERE d.pipeline_id BETWEEN s.block << 12 AND (s.block << 12) + 4095 AND d.due_at <= s.looked_at)
  ORDER BY s.block
  LIMIT @limit::bigint
  FOR UPDATE)
RETURNING b.block
