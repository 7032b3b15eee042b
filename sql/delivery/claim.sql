-- Judges the locked messages and acts on it: leases those that may go, cancels those that must not (with their campaign event, and the
-- execution stops), puts off those that have to wait. A statement of its own after lock_due.sql, because its snapshot then shows what
-- other dispatchers did for these leads.
WITH judged AS MATERIALIZED (
  SELECT * FROM judge_messages(@ids)
), cancelled AS (
  UPDATE outbox_messages m
  SET status = 'cancelled', reason = j.verdict_reason, finished_at = sales_now()
  FROM judged j
  WHERE m.id = j.message_id AND j.verdict = 'stop'
  RETURNING m.id, m.execution_id, m.campaign_event_id, m.reason
), skipped AS (
  UPDATE sales_campaign_events e
  SET status = 'skipped', metadata = coalesce(e.metadata, '{}') || jsonb_build_object('skip_reason', c.reason)
  FROM cancelled c
  WHERE e.id = c.campaign_event_id AND e.status = 'queued'
), stopping AS MATERIALIZED (
  SELECT x.id
  FROM sales_campaign_executions x
  WHERE x.id IN (SELECT execution_id FROM cancelled) AND x.status IN ('active', 'paused')
  ORDER BY x.id
  -- One that campaigns advance holds is left to it: it ends the execution itself, and what is already sent must not wait to be recorded.
  FOR NO KEY UPDATE SKIP LOCKED
), stopped AS (
  UPDATE sales_campaign_executions x
  SET status = 'stopped', completed_at = sales_now(), next_action_at = NULL,
      metadata = coalesce(x.metadata, '{}') || jsonb_build_object('stop_reason', c.reason)
  FROM stopping, (SELECT execution_id, min(reason) AS reason FROM cancelled GROUP BY execution_id) AS c
  WHERE x.id = stopping.id AND x.id = c.execution_id
), put_off AS (
  UPDATE outbox_messages m
  SET not_before = j.put_off_until, reason = j.verdict_reason
  FROM judged j
  WHERE m.id = j.message_id AND j.verdict = 'later'
  RETURNING m.id
), leased AS (
  UPDATE outbox_messages m
  SET status = 'leased', lease_token = @token, lease_until = clock_timestamp() + @lease_seconds * interval '1 second', reason = NULL
  FROM judged j
  WHERE m.id = j.message_id AND j.verdict = 'send'
  RETURNING
    m.id, concat_ws('~', m.idempotency_key, nullif(m.key_epoch, '')) AS idempotency_key, m.purpose, m.lead_ext_id, m.step_number, m.recipient,
    m.payload, m.attempts, m.failures, m.not_before
)
SELECT
  'send' AS verdict, id, idempotency_key, purpose, lead_ext_id, step_number, recipient, payload::text AS payload, attempts, failures, not_before
FROM leased
UNION ALL
SELECT 'stop', id, NULL, NULL, NULL, NULL, NULL, NULL, 0, 0, NULL FROM cancelled
UNION ALL
SELECT 'later', id, NULL, NULL, NULL, NULL, NULL, NULL, 0, 0, NULL FROM put_off
ORDER BY not_before, id
