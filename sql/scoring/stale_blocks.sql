-- Blocks of this shard whose leads were not all scored with these settings (@everything: all blocks), in order.
SELECT b.block
FROM scoring_blocks b
WHERE b.block % @shard_count = @shard_index
  AND (@everything OR b.settings <> @settings OR b.scored_through < ((b.block + 1)::bigint << 15) - 1)
ORDER BY b.block
