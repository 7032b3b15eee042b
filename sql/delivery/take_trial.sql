-- The pause is over: one dispatcher tries one message, for as long as that may take, and the others go on waiting.
UPDATE delivery_connections
SET paused_until = clock_timestamp() + @seconds * interval '1 second', updated_at = clock_timestamp()
WHERE connection_id = @connection AND paused_until <= clock_timestamp()
RETURNING connection_id
