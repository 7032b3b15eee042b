-- What write.sql tells messages by that are there already.
CREATE UNIQUE INDEX ON outbox_messages (idempotency_key)
