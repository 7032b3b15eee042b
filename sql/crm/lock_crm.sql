-- Runs list changes one after the other.
SELECT pg_advisory_xact_lock(hashtextextended(concat('salestasks.crm.', current_schema(), '.', @crm::text), 0))
