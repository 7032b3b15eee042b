-- When the last summary of this kind was written, within the 24 hours that summaries look back on; null: none was.
SELECT max(created_at)
FROM outbox_messages
WHERE purpose = 'summary' AND created_at > @as_of - interval '24 hours' AND created_at <= @as_of
  AND left(idempotency_key, length(@kind::text) + 1) = @kind::text || '/' AND idempotency_key <> @key
