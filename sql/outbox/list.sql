-- Messages, the latest first.
SELECT id, created_at, channel, purpose, status, lead_ext_id, recipient, attempts, not_before, finished_at, reason
FROM outbox_messages
WHERE (@status::text IS NULL OR status = @status) AND (@channel::text IS NULL OR channel = @channel)
ORDER BY id DESC
LIMIT @limit
