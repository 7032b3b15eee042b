-- Scratch databases of verifications that were killed. One that a session is in cannot be dropped, so those at work are safe.
SELECT datname::text AS name FROM pg_database WHERE datname ~ '^sales_tasks_verify_[0-9a-f]{32}$' ORDER BY datname
