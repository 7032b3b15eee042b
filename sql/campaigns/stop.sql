-- Ends the executions that may not go on, takes back their messages that nobody has claimed yet, and counts them by reason. @ids: only these.
-- What another runner holds it judges itself.
WITH stopping AS (
  SELECT e.id, r.reason
  FROM sales_campaign_executions e
  JOIN campaign_stop_reasons r ON r.execution_id = e.id
  WHERE e.status IN ('active', 'paused')
    AND (@ids::bigint[] IS NULL OR e.id = ANY (@ids))
    AND mod(abs(hashtext(e.lead_ext_id)::bigint), @shard_count::int) = @shard_index::int
    AND r.reason IS NOT NULL
  ORDER BY e.id
  FOR NO KEY UPDATE OF e SKIP LOCKED
),
cancelled AS (
  UPDATE outbox_messages m
  SET status = 'cancelled', finished_at = @as_of, reason = 'campaign stopped: ' || s.reason
  FROM stopping s
  WHERE m.execution_id = s.id AND m.status = 'pending'
  RETURNING m.campaign_event_id
),
skipped AS (
  UPDATE sales_campaign_events v SET status = 'skipped' FROM cancelled k WHERE v.id = k.campaign_event_id AND v.status = 'queued'
),
stopped AS (
  UPDATE sales_campaign_executions e
  SET status = 'stopped', status_reason = s.reason, completed_at = @as_of, next_action_at = NULL, updated_at = @as_of
  FROM stopping s
  WHERE e.id = s.id
  RETURNING s.reason
)
SELECT
  count(*) FILTER (WHERE reason = 'reply'), count(*) FILTER (WHERE reason = 'deal_closed'), count(*) FILTER (WHERE reason = 'opt_out')
FROM stopped
