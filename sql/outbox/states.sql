-- The states of some messages, for a complaint about them.
SELECT id, status FROM outbox_messages WHERE id = ANY (@ids)
