-- The CRM asked for a pause: no run calls it before.
UPDATE crm_quotas
SET paused_until = greatest(paused_until, clock_timestamp() + @seconds * interval '1 second')
WHERE connection_id = @connection
