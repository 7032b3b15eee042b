-- Tries whose process ended without a word (kill -9, a machine that went away): no heartbeat, which comes every 30 seconds, for 5 minutes.
-- One that lives after all and was only cut off writes its own end over this.
UPDATE task_runs t
SET status = 'lost', finished_at = @now_at, error = 'the process ended without a word'
FROM (
  SELECT id FROM task_runs WHERE status = 'running' AND heartbeat_at < @now_at - interval '5 minutes' ORDER BY id FOR NO KEY UPDATE SKIP LOCKED
) AS silent
WHERE t.id = silent.id
