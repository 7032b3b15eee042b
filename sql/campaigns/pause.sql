-- Halts what runs in disabled campaigns. A message that nobody has claimed yet is withdrawn with its event, and its step is due again: when
-- the campaign goes on, the step is written anew, under the same key. One that a dispatcher holds at this moment is cancelled there, which
-- resume.sql knows. Status as an expression: see stop.sql. @ids: only these executions; @campaign: only this campaign.
WITH halted AS (
  SELECT e.id, e.current_step
  FROM sales_campaign_executions e
  JOIN sales_campaigns c ON c.id = e.campaign_id
  WHERE e.status = 'active' AND NOT c.enabled
    AND (@ids::bigint[] IS NULL OR e.id = ANY (@ids))
    AND (@campaign::bigint IS NULL OR e.campaign_id = @campaign)
    AND (@shard_count::int = 1 OR mod(abs(hashtext(e.lead_ext_id)::bigint), @shard_count) = @shard_index::int)
  ORDER BY e.id
  FOR NO KEY UPDATE OF e SKIP LOCKED
),
withdrawn AS (
  DELETE FROM outbox_messages m
  USING (
    SELECT w.id
    FROM outbox_messages w
    JOIN halted h ON h.id = w.execution_id AND h.current_step = w.step_number
    WHERE w.status || '' = 'pending'
    ORDER BY w.id
    FOR UPDATE OF w SKIP LOCKED
  ) AS waiting
  WHERE m.id = waiting.id
  RETURNING m.execution_id, m.campaign_event_id
),
forgotten AS (
  DELETE FROM sales_campaign_events v USING withdrawn w WHERE v.id = w.campaign_event_id
)
UPDATE sales_campaign_executions e
SET
  status = 'paused', updated_at = @as_of, metadata = coalesce(e.metadata, '{}') || '{"stop_reason": "campaign_disabled"}',
  current_step = CASE WHEN w.execution_id IS NULL THEN e.current_step ELSE e.current_step - 1 END,
  next_action_at = CASE WHEN w.execution_id IS NULL THEN e.next_action_at ELSE @as_of END
FROM halted h
LEFT JOIN withdrawn w ON w.execution_id = h.id
WHERE e.id = h.id
