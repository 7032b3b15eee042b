-- Batches of imports take turns with an erasure (the lock of leads/lock_imports.sql): one that begins after it knows of it, and none brings a
-- person back that it had looked up before.
SELECT pg_advisory_xact_lock(hashtextextended('salestasks.leads.import.' || current_schema(), 0))
