-- On the wire from now on: the last look at each message before it leaves, fenced by our token and our lease. A stop that was committed
-- after the claim still holds it back here (see hold.sql). Running it again for a message that is marked already (the answer to the first try was lost)
-- changes nothing but the lease.
WITH held AS MATERIALIZED (
  SELECT m.id
  FROM outbox_messages m
  WHERE m.id = ANY (@ids) AND m.lease_token = @token AND m.status IN ('leased', 'sending') AND m.lease_until > clock_timestamp()
  ORDER BY m.id
  FOR UPDATE
), stop AS MATERIALIZED (
  SELECT s.message_id, s.stop_reason FROM stopped_messages(@ids) AS s
), marked AS (
  UPDATE outbox_messages m
  SET status = 'sending', attempts = m.attempts + (m.status = 'leased')::int, connection_id = @connection,
      lease_until = clock_timestamp() + @lease_seconds * interval '1 second'
  FROM held
  WHERE m.id = held.id AND NOT EXISTS (SELECT 1 FROM stop WHERE stop.message_id = m.id)
  RETURNING m.id
), cancelled AS (
  UPDATE outbox_messages m
  SET status = 'cancelled', reason = stop.stop_reason, finished_at = sales_now(), lease_token = NULL, lease_until = NULL
  FROM held, stop
  WHERE m.id = held.id AND m.id = stop.message_id
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
)
SELECT id, true AS marked FROM marked
UNION ALL
SELECT id, false FROM cancelled
