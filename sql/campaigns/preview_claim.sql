-- As claim.sql, for a dry run: leads are not copied, and not kept from anybody.
SELECT e.id, e.campaign_id
FROM sales_campaign_executions e
JOIN leads l ON l.ext_id = e.lead_ext_id
WHERE e.status = 'active' AND e.next_action_at <= @as_of
  AND e.campaign_id = ANY (@campaigns::bigint[])
  AND (@shard_count::int = 1 OR mod(abs(hashtext(e.lead_ext_id)::bigint), @shard_count) = @shard_index::int)
ORDER BY e.next_action_at, e.id
LIMIT @limit
