-- Dispatchers pass over the messages of these leads from here on: the same lock as in delivery/lock_due.sql.
SELECT pg_advisory_xact_lock(hashtextextended(concat('salestasks.outbox.', current_schema(), '.', l.ext_id), 0))
FROM (SELECT unnest(@leads::text[]) AS ext_id ORDER BY 1) AS l
