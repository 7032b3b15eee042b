-- A person settles messages: they are not to be sent (@delivered false), or those in doubt did arrive. With their campaign events, and,
-- where they arrived, the lead's contact times, as of the attempt.
WITH chosen AS MATERIALIZED (
  SELECT id
  FROM outbox_messages
  WHERE id = ANY (@ids) AND (status = 'in_doubt' OR (NOT @delivered AND status IN ('pending', 'dead')))
  ORDER BY id
  FOR UPDATE
), settled AS (
  UPDATE outbox_messages m
  SET status = CASE WHEN @delivered THEN 'sent' ELSE 'cancelled' END,
      sent_at = CASE WHEN @delivered THEN m.finished_at END,
      finished_at = coalesce(m.finished_at, sales_now()),
      reason = @reason
  FROM chosen
  WHERE m.id = chosen.id
  RETURNING m.id, m.campaign_event_id, m.lead_ext_id, m.reaches_lead, m.sent_at
), events AS (
  UPDATE sales_campaign_events e
  SET status = CASE WHEN @delivered THEN 'sent' ELSE 'skipped' END, executed_at = CASE WHEN @delivered THEN s.sent_at ELSE e.executed_at END
  FROM settled s
  WHERE e.id = s.campaign_event_id AND e.status IN ('queued', 'failed')
), contacted AS MATERIALIZED (
  SELECT p.id, max(s.sent_at) AS at
  FROM sales_pipeline p JOIN settled s ON s.lead_ext_id = p.lead_ext_id AND s.reaches_lead
  WHERE @delivered
  GROUP BY p.id
), locked AS MATERIALIZED (
  SELECT p.id FROM sales_pipeline p WHERE p.id IN (SELECT id FROM contacted) ORDER BY p.id FOR NO KEY UPDATE
), contacts AS (
  UPDATE sales_pipeline p
  SET first_contact_at = least(p.first_contact_at, c.at), last_contact_at = greatest(p.last_contact_at, c.at)
  FROM locked
  JOIN contacted c USING (id)
  WHERE p.id = locked.id
)
SELECT id FROM settled
