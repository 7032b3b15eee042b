-- Writes a summary for Slack down; a retry of the same run finds it there.
INSERT INTO outbox_messages (idempotency_key, channel, purpose, payload, not_before, created_at)
VALUES (@key, 'slack', 'summary', @payload::jsonb, @as_of, @as_of)
ON CONFLICT (idempotency_key) DO NOTHING
