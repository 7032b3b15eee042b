-- Messages about alerts, in the transaction that opens them. A null recipient: the connection says where.
INSERT INTO outbox_messages (idempotency_key, channel, purpose, recipient, payload, not_before, created_at)
SELECT m.key, m.channel, 'alert', m.recipient, m.payload::jsonb, @as_of, @as_of
FROM unnest(@keys::text[], @channels::text[], @recipients::text[], @payloads::text[]) AS m (key, channel, recipient, payload)
ORDER BY m.key
ON CONFLICT (idempotency_key) DO NOTHING
