-- Seconds this connection still rests (0: it does not), and whether it has to prove itself with one message first.
SELECT
  coalesce(greatest(extract(epoch FROM paused_until - clock_timestamp()), 0), 0)::double precision AS paused_for,
  paused_until IS NOT NULL AS on_trial,
  failures,
  pause_reason
FROM delivery_connections
WHERE connection_id = @connection
