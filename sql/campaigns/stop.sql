-- Ends the executions that may not go on, takes back their messages that nobody has claimed yet, and counts them by reason. @ids: only these.
-- What another runner holds it judges itself; a message that a dispatcher holds at this moment is judged there.
--
-- Reasons are found first (OFFSET 0 keeps them apart), and only what has one is locked. The status of messages is compared as an expression:
-- with the plain column the planner may walk through everything that is pending (the partial index) instead of going from the execution to
-- its messages, and what is pending changes faster than statistics do.
WITH stopping AS (
  SELECT e.id, r.reason
  FROM (
    SELECT r.execution_id, r.reason
    FROM campaign_stop_reasons r
    WHERE r.status IN ('active', 'paused')
      AND (@ids::bigint[] IS NULL OR r.execution_id = ANY (@ids))
      AND (@shard_count::int = 1 OR mod(abs(hashtext(r.lead_ext_id)::bigint), @shard_count) = @shard_index::int)
      AND r.reason IS NOT NULL
    OFFSET 0
  ) AS r
  JOIN sales_campaign_executions e ON e.id = r.execution_id
  WHERE e.status IN ('active', 'paused')
  ORDER BY e.id
  FOR NO KEY UPDATE OF e SKIP LOCKED
),
cancelled AS (
  UPDATE outbox_messages m
  SET status = 'cancelled', finished_at = @as_of, reason = s.reason
  FROM (
    SELECT w.id, s.reason
    FROM outbox_messages w
    JOIN stopping s ON s.id = w.execution_id
    WHERE w.status || '' = 'pending'
    ORDER BY w.id
    FOR UPDATE OF w SKIP LOCKED
  ) AS s
  WHERE m.id = s.id
  RETURNING m.campaign_event_id, m.reason
),
skipped AS (
  UPDATE sales_campaign_events v
  SET status = 'skipped', metadata = coalesce(v.metadata, '{}') || jsonb_build_object('skip_reason', k.reason)
  FROM cancelled k
  WHERE v.id = k.campaign_event_id AND v.status = 'queued'
),
stopped AS (
  UPDATE sales_campaign_executions e
  SET
    status = 'stopped', completed_at = @as_of, next_action_at = NULL, updated_at = @as_of,
    metadata = coalesce(e.metadata, '{}') || jsonb_build_object('stop_reason', s.reason)
  FROM stopping s
  WHERE e.id = s.id
  RETURNING s.reason
)
SELECT
  count(*) FILTER (WHERE reason = 'replied'), count(*) FILTER (WHERE reason = 'deal_closed'),
  count(*) FILTER (WHERE reason IN ('consent_refused', 'suppressed'))
FROM stopped
