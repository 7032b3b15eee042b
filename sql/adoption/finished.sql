-- The old tables are gone.
UPDATE adoptions SET finished_at = clock_timestamp() WHERE finished_at IS NULL
