-- Backups whose files the retention took away.
UPDATE backups SET removed_at = clock_timestamp() WHERE name = ANY (@names) AND removed_at IS NULL
