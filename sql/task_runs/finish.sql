-- How the try ended.
UPDATE task_runs
SET finished_at = @finished_at, heartbeat_at = @finished_at, status = @status, exit_code = @exit_code, result = @result::jsonb, error = @error::text
WHERE id = @id
