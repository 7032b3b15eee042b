-- Writes each reply down as an event of the campaign it answers: the lead's last e-mail sent before it. A reply to no campaign has none, and
-- one that was written down before is left alone. IS NOT TRUE: looked up by id, not through the index of all replies.
INSERT INTO sales_campaign_events (execution_id, lead_ext_id, step_number, event_type, status, executed_at, metadata, created_at)
SELECT
  s.execution_id, g.lead_ext_id, s.step_number, 'email_replied', 'completed', g.occurred_at,
  jsonb_strip_nulls(jsonb_build_object(
    'engagement_event_id', g.id::text, 'in_reply_to', s.id, 'variant', s.metadata -> 'variant', 'source', g.source)),
  @as_of
FROM lead_engagement_events g
CROSS JOIN LATERAL (
  SELECT e.id, e.execution_id, e.step_number, e.metadata
  FROM sales_campaign_events e
  WHERE e.lead_ext_id = g.lead_ext_id AND e.event_type = 'email_sent' AND e.status IN ('sent', 'delivered', 'completed')
    AND coalesce(e.executed_at, e.created_at) <= g.occurred_at
  ORDER BY coalesce(e.executed_at, e.created_at) DESC, e.id DESC
  LIMIT 1
) AS s
WHERE g.id = ANY (@replies) AND g.event_type = 'reply' AND g.is_bot IS NOT TRUE AND isfinite(g.occurred_at)
ORDER BY g.id
ON CONFLICT ((metadata ->> 'engagement_event_id')) WHERE event_type = 'email_replied' AND metadata -> 'engagement_event_id' IS NOT NULL DO NOTHING
