-- Scratch databases of verifications that nobody is in.
SELECT d.datname::text AS name
FROM pg_database d
WHERE d.datname ~ '^sales_tasks_verify_[0-9a-f]{32}$' AND NOT EXISTS (SELECT FROM pg_stat_activity a WHERE a.datid = d.oid)
ORDER BY d.datname
