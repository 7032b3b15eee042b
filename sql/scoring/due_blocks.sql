-- How many rows are due in each block of this shard, in order of block.
SELECT (lead_id >> 15)::int AS block, count(*) AS due
FROM lead_score_due
WHERE due_at <= @as_of AND (lead_id >> 15) % @shard_count = @shard_index
GROUP BY 1
ORDER BY 1
