-- Calls made today, and the pause a CRM asked for.
SELECT
  connection_id,
  CASE WHEN day = (clock_timestamp() AT TIME ZONE 'UTC')::date THEN used ELSE 0 END AS used,
  CASE WHEN paused_until > clock_timestamp() THEN paused_until END AS paused_until
FROM crm_quotas
ORDER BY connection_id
