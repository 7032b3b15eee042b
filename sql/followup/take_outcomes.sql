-- Takes up to @limit outcomes off the list; what another run holds is left to it. They are gone when the transaction commits, with their effect.
DELETE FROM pipeline_outcomes o
USING (
  SELECT id
  FROM pipeline_outcomes
  WHERE happened_at <= @as_of AND source_id % @shard_count = @shard_index
  ORDER BY id
  LIMIT @limit
  FOR UPDATE SKIP LOCKED
) AS picked
WHERE o.id = picked.id
RETURNING o.kind, o.source_id
