-- One more temporary failure. From the @threshold-th in a row on the breaker opens, each time for twice as long as before; failures of
-- messages that were on the wire when it opened do not lengthen it.
INSERT INTO delivery_connections AS c (connection_id, failures)
VALUES (@connection, 1)
ON CONFLICT (connection_id) DO UPDATE
SET failures = c.failures + 1,
    openings = c.openings + (c.failures + 1 >= @threshold AND (c.paused_until IS NULL OR c.paused_until <= clock_timestamp() OR @on_trial))::int,
    paused_until = CASE WHEN c.failures + 1 >= @threshold AND (c.paused_until IS NULL OR c.paused_until <= clock_timestamp() OR @on_trial)
      THEN clock_timestamp() + least(@pause_seconds::double precision * 2 ^ least(c.openings, 20), @longest_seconds::double precision) * interval '1 second' ELSE c.paused_until END,
    pause_reason = CASE WHEN c.failures + 1 >= @threshold THEN @reason ELSE c.pause_reason END,
    updated_at = clock_timestamp()
RETURNING coalesce(greatest(extract(epoch FROM c.paused_until - clock_timestamp()), 0), 0)::double precision AS paused_for
