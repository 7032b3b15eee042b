-- Batches of two imports take turns: neither inserts a person the other is about to insert, and none waits in a circle.
SELECT pg_advisory_xact_lock(hashtextextended('salestasks.leads.import.' || current_schema(), 0))
