-- What clear_payloads would clear in all.
SELECT count(*)
FROM outbox_messages m
WHERE m.status IN ('sent', 'cancelled') AND m.finished_at < @before_at AND (m.payload <> '{}' OR m.recipient IS NOT NULL)
