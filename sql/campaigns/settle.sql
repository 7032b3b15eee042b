-- Executions whose message has been dealt with: the next step is due its delay after the message was sent, and an execution without a next
-- step is completed. A message that died or was discarded ends its step and not the campaign: the next step may use another channel, and an
-- address that does not exist is suppressed, which stops the campaign. One in doubt may have been sent, so it counts as sent.
-- An execution that waits for a message that is not there (written by hand) is due at once. @delays: seconds of the step of that number.
--
-- A message that the dispatcher cancelled because its campaign was disabled was not dealt with: its step is withdrawn and due again. Most often
-- that is resume.sql's to do. Where the campaign was enabled in the very moment of the claim, resume.sql saw the message still waiting and the
-- claim passed over the execution that resume.sql held: then nothing but this message tells that the step was not sent.
WITH settled AS (
  SELECT
    e.id, coalesce(m.sent_at, m.finished_at, @as_of) AS at, m.status AS message, m.sent_at, m.campaign_event_id, n.delay_seconds,
    m.id AS message_id, coalesce(m.status = 'cancelled' AND m.reason = 'campaign_disabled', false) AS unsent
  FROM sales_campaign_executions e
  LEFT JOIN outbox_messages m ON m.execution_id = e.id AND m.step_number = e.current_step
  LEFT JOIN unnest(@campaigns::bigint[], @steps::int[], @delays::double precision[]) AS n (campaign_id, step_number, delay_seconds)
    ON n.campaign_id = e.campaign_id AND n.step_number = e.current_step + 1
  WHERE e.status = 'active' AND e.next_action_at IS NULL
    AND e.campaign_id = ANY (@campaigns)
    AND (@shard_count::int = 1 OR abs(mod(abs(hashtext(e.lead_ext_id)::bigint), @shard_count) - @shard_index::int) < 1)
    AND (m.id IS NULL OR m.status IN ('sent', 'in_doubt', 'dead', 'cancelled'))
  ORDER BY e.id
  LIMIT @limit
  FOR NO KEY UPDATE OF e SKIP LOCKED
),
withdrawn AS (
  DELETE FROM outbox_messages m USING settled s WHERE s.unsent AND m.id = s.message_id
),
forgotten AS (
  DELETE FROM sales_campaign_events v USING settled s WHERE s.unsent AND v.id = s.campaign_event_id
),
recorded AS (
  UPDATE sales_campaign_events v
  SET
    status = CASE s.message WHEN 'sent' THEN 'sent' WHEN 'dead' THEN 'failed' ELSE 'skipped' END,
    executed_at = s.sent_at
  FROM settled s
  WHERE v.id = s.campaign_event_id AND v.status = 'queued' AND s.message IN ('sent', 'dead', 'cancelled')
    AND NOT s.unsent
),
moved AS (
  UPDATE sales_campaign_executions e
  SET
    current_step = CASE WHEN s.unsent THEN e.current_step - 1 ELSE e.current_step END,
    next_action_at = CASE WHEN s.message IS NULL OR s.unsent THEN @as_of ELSE s.at + make_interval(secs => s.delay_seconds) END,
    status = CASE WHEN s.message IS NOT NULL AND s.delay_seconds IS NULL AND NOT s.unsent THEN 'completed' ELSE 'active' END,
    completed_at = CASE WHEN s.message IS NOT NULL AND s.delay_seconds IS NULL AND NOT s.unsent THEN s.at END,
    updated_at = @as_of
  FROM settled s
  WHERE e.id = s.id
  RETURNING e.status
)
SELECT count(*), count(*) FILTER (WHERE status = 'completed') FROM moved
