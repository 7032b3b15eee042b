-- The answer is there: the slot is free again a window after it.
UPDATE crm_slots SET free_at = clock_timestamp() + @window * interval '1 second' WHERE connection_id = @connection AND slot = @slot
