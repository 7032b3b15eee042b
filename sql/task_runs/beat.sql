-- The process of this try still lives.
UPDATE task_runs SET heartbeat_at = @heartbeat_at WHERE id = @id
