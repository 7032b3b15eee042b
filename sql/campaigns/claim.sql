-- The next executions whose step is due, the longest due first, for this transaction alone. Their leads are kept from being erased until it
-- ends; one that is being erased is passed over.
SELECT e.id, e.campaign_id
FROM sales_campaign_executions e
JOIN leads l ON l.ext_id = e.lead_ext_id
WHERE e.status = 'active' AND e.next_action_at <= @as_of
  AND e.campaign_id = ANY (@campaigns::bigint[])
  AND (@shard_count::int = 1 OR abs(mod(abs(hashtext(e.lead_ext_id)::bigint), @shard_count) - @shard_index::int) < 1)
ORDER BY e.next_action_at, e.id
LIMIT @limit
FOR NO KEY UPDATE OF e SKIP LOCKED
FOR KEY SHARE OF l SKIP LOCKED
