-- Texts and addresses of a chunk of messages that were sent or cancelled before the retention. The rows stay: their keys keep a message from being
-- written twice, and the caps count them. Dead messages and those in doubt keep everything, since a person may send them again.
WITH old AS (
  SELECT m.id
  FROM outbox_messages m
  WHERE m.id > @after::bigint AND m.status IN ('sent', 'cancelled') AND m.finished_at < @before_at AND (m.payload <> '{}' OR m.recipient IS NOT NULL)
  ORDER BY m.id
  LIMIT @limit::bigint
  FOR NO KEY UPDATE SKIP LOCKED
), cleared AS (
  UPDATE outbox_messages m SET payload = '{}', recipient = NULL FROM old WHERE m.id = old.id RETURNING m.id
)
SELECT count(*), coalesce(max(id), 0) FROM cleared
