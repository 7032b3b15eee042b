-- Notes what a run came to that ended under way; finished_at stays null, because it did not get through. Touches nothing where another run
-- has noted it meanwhile.
UPDATE routing_runs SET counts = @counts::jsonb WHERE id = @run_id AND finished_at IS NULL AND counts IS NULL
