-- Makes the slots of a connection, and its quota, where they are missing.
WITH quota AS (
  INSERT INTO crm_quotas (connection_id, day, used) VALUES (@connection, (clock_timestamp() AT TIME ZONE 'UTC')::date, 0) ON CONFLICT DO NOTHING
)
INSERT INTO crm_slots (connection_id, slot, free_at)
SELECT @connection, i, clock_timestamp() FROM generate_series(0, @slots::int - 1) AS i
ON CONFLICT DO NOTHING
