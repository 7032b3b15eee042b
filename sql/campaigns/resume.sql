-- What a disabled campaign had halted goes on when it is enabled again; what people paused stays paused. The dispatcher cancels messages of
-- disabled campaigns that it meets: such a step was not sent, so it is written anew, under the same key.
WITH resuming AS (
  SELECT x.id, x.current_step
  FROM sales_campaign_executions x
  JOIN sales_campaigns c ON c.id = x.campaign_id
  WHERE x.status IN ('paused', 'stopped') AND x.metadata ->> 'stop_reason' = 'campaign_disabled' AND c.enabled
    AND (@campaign::bigint IS NULL OR x.campaign_id = @campaign)
    AND (@shard_count::int = 1 OR mod(abs(hashtext(x.lead_ext_id)::bigint), @shard_count) = @shard_index::int)
  ORDER BY x.id
  FOR NO KEY UPDATE OF x SKIP LOCKED
),
withdrawn AS (
  DELETE FROM outbox_messages m
  USING resuming r
  WHERE m.execution_id = r.id AND m.step_number = r.current_step AND m.status = 'cancelled' AND m.reason = 'campaign_disabled'
  RETURNING m.execution_id, m.campaign_event_id
),
forgotten AS (
  DELETE FROM sales_campaign_events v USING withdrawn w WHERE v.id = w.campaign_event_id
)
UPDATE sales_campaign_executions e
SET
  status = 'active', completed_at = NULL, metadata = e.metadata - 'stop_reason', updated_at = @as_of,
  current_step = CASE WHEN w.execution_id IS NULL THEN e.current_step ELSE e.current_step - 1 END,
  next_action_at = CASE WHEN w.execution_id IS NULL THEN e.next_action_at ELSE @as_of END
FROM resuming r
LEFT JOIN withdrawn w ON w.execution_id = r.id
WHERE e.id = r.id
