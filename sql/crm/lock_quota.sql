-- Seconds the CRM wants to be left alone, and the calls made today; the row's lock makes runs count one after the other.
SELECT
  coalesce(greatest(extract(epoch FROM paused_until - clock_timestamp()), 0), 0)::double precision AS paused_for,
  CASE WHEN day = (clock_timestamp() AT TIME ZONE 'UTC')::date THEN used ELSE 0 END AS used
FROM crm_quotas
WHERE connection_id = @connection
FOR UPDATE
