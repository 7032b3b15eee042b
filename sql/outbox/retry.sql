-- In doubt or dead messages are sent again because a person says so: those of @ids, or all of @statuses. Their campaign events are queued
-- again.
WITH chosen AS MATERIALIZED (
  SELECT id
  FROM outbox_messages
  WHERE status IN ('in_doubt', 'dead') AND (id = ANY (@ids) OR status = ANY (@statuses)) AND (@channel::text IS NULL OR channel = @channel)
  ORDER BY id
  FOR UPDATE
), again AS (
  UPDATE outbox_messages m
  SET status = 'pending', not_before = sales_now(), failures = 0, finished_at = NULL, reason = 'to be sent again: ' || @actor
  FROM chosen
  WHERE m.id = chosen.id
  RETURNING m.id, m.campaign_event_id
), events AS (
  UPDATE sales_campaign_events e
  SET status = 'queued'
  FROM again
  WHERE e.id = again.campaign_event_id AND e.status = 'failed'
)
SELECT id FROM again
