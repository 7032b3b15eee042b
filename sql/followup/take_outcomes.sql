-- Takes up to @limit outcomes off the list; what another run holds is left to it. Shards are of leads and not of outcomes: two that happened to one
-- deal would else move it on in two steps, where one run moves it in one. They are gone when the transaction commits, with their effect.
DELETE FROM pipeline_outcomes o
USING (
  SELECT id
  FROM pipeline_outcomes
  WHERE happened_at <= @as_of AND (@shard_count::int = 1 OR abs(mod(abs(hashtext(lead_ext_id)::bigint), @shard_count) - @shard_index::int) < 1)
  ORDER BY id
  LIMIT @limit
  FOR UPDATE SKIP LOCKED
) AS picked
WHERE o.id = picked.id
RETURNING o.kind, o.source_id
