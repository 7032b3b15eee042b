-- A message about a report; written once a version and receiver, whatever is retried.
INSERT INTO outbox_messages (idempotency_key, channel, purpose, recipient, payload, not_before, created_at)
VALUES (@key, @channel, 'report', @recipient, @payload::jsonb, @as_of, @as_of)
ON CONFLICT (idempotency_key) DO NOTHING
