-- What a disabled campaign had halted goes on when it is enabled again; what people paused stays paused.
UPDATE sales_campaign_executions e
SET status = 'active', status_reason = NULL, updated_at = @as_of
WHERE e.id IN (
  SELECT x.id
  FROM sales_campaign_executions x
  JOIN sales_campaigns c ON c.id = x.campaign_id
  WHERE x.status = 'paused' AND x.status_reason = 'campaign_disabled' AND c.enabled
    AND (@campaign::bigint IS NULL OR x.campaign_id = @campaign)
    AND mod(abs(hashtext(x.lead_ext_id)::bigint), @shard_count::int) = @shard_index::int
  ORDER BY x.id
  FOR NO KEY UPDATE OF x SKIP LOCKED
)
