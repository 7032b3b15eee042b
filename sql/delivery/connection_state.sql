-- Seconds this connection still rests (0: it does not), whether it has to prove itself with one message first, and whether
-- somebody is just trying that.
SELECT
  coalesce(greatest(extract(epoch FROM paused_until - clock_timestamp()), 0), 0)::double precision AS paused_for,
  paused_until IS NOT NULL AS needs_trial,
  trial_running,
  failures,
  pause_reason
FROM delivery_connections
WHERE connection_id = @connection
