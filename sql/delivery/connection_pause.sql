-- The receiver asked for a pause (Retry-After), or refuses us: nobody sends through it before.
INSERT INTO delivery_connections AS c (connection_id, failures, paused_until, pause_reason)
VALUES (@connection, 1, clock_timestamp() + @seconds * interval '1 second', @reason)
ON CONFLICT (connection_id) DO UPDATE
SET failures = c.failures + 1, paused_until = greatest(c.paused_until, excluded.paused_until), pause_reason = excluded.pause_reason,
    updated_at = clock_timestamp()
