-- Takes a free slot for a call and counts it. Held for @hold seconds where the run ends before it gives it back. Without a free one: the
-- seconds until there is.
WITH free AS MATERIALIZED (
  SELECT slot FROM crm_slots
  WHERE connection_id = @connection AND slot < @slots::int AND free_at <= clock_timestamp()
  ORDER BY free_at, slot
  LIMIT 1
  FOR UPDATE
), taken AS (
  UPDATE crm_slots s SET free_at = clock_timestamp() + @hold * interval '1 second'
  FROM free
  WHERE s.connection_id = @connection AND s.slot = free.slot
  RETURNING s.slot
), counted AS (
  UPDATE crm_quotas
  SET used = CASE WHEN day = (clock_timestamp() AT TIME ZONE 'UTC')::date THEN used ELSE 0 END + 1, day = (clock_timestamp() AT TIME ZONE 'UTC')::date
  WHERE connection_id = @connection AND EXISTS (SELECT FROM free)
)
SELECT
  (SELECT slot FROM taken) AS slot,
  coalesce((
    SELECT greatest(extract(epoch FROM min(free_at) - clock_timestamp()), 0) FROM crm_slots WHERE connection_id = @connection AND slot < @slots::int
  ), 0)::double precision AS seconds
