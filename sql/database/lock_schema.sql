-- One runner at a time changes a schema; released with the transaction, whatever ends it.
SELECT pg_advisory_xact_lock(hashtextextended('salestasks.migrate.' || @schema_name::text, 0))
