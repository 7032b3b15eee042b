-- The blocks of this shard up to the last lead.
SELECT b
FROM generate_series(0, (SELECT coalesce(max(lead_id), -1) >> 15 FROM leads)::int) AS b
WHERE b % @shard_count = @shard_index
ORDER BY b
