-- Blocks of this shard whose leads were not all scored with these settings (@everything: all blocks), in order.
SELECT n
FROM generate_series(0, (SELECT coalesce(max(lead_id), -1) >> 15 FROM leads)::int) AS n
LEFT JOIN scoring_blocks b ON b.block = n
WHERE n % @shard_count = @shard_index
  AND (@everything OR b.settings IS DISTINCT FROM @settings OR b.scored_through < ((n + 1)::bigint << 15) - 1)
ORDER BY n
