-- The latest ten messages about a lead with what became of them, the latest first; null where there are none. No recipients and no texts.
SELECT jsonb_agg(
  jsonb_build_object(
    'id', m.id, 'created_at', m.created_at, 'channel', m.channel, 'purpose', m.purpose, 'status', m.status, 'sent_at', m.sent_at, 'not_before', m.not_before,
    'reason', m.reason)
  ORDER BY m.id DESC)::text
FROM (
  SELECT id, created_at, channel, purpose, status, sent_at, not_before, reason
  FROM outbox_messages
  WHERE lead_ext_id = @lead
  ORDER BY id DESC
  LIMIT 10
) AS m
