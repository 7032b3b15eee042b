-- What delete_task_runs would delete in all.
SELECT count(*)
FROM task_runs r
WHERE r.finished_at < @before_at
  AND EXISTS (SELECT FROM task_runs later WHERE later.command = r.command AND later.started_at > r.started_at)
