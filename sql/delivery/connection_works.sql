-- An answer as it should be closes the breaker.
UPDATE delivery_connections
SET failures = 0, openings = 0, paused_until = NULL, pause_reason = NULL, updated_at = clock_timestamp()
WHERE connection_id = @connection AND (failures > 0 OR openings > 0 OR paused_until IS NOT NULL)
