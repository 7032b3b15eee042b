-- The end of a run.
UPDATE routing_runs SET finished_at = clock_timestamp(), counts = @counts::jsonb WHERE id = @run_id
