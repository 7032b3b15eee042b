-- A chunk of ended tries older than the retention. The last try of each command stays, so that it is known when a job ran last.
WITH old AS (
  SELECT r.id
  FROM task_runs r
  WHERE r.finished_at < @before_at
    AND EXISTS (SELECT FROM task_runs later WHERE later.command = r.command AND later.started_at > r.started_at)
  ORDER BY r.id
  LIMIT @limit::bigint
  FOR UPDATE SKIP LOCKED
), gone AS (
  DELETE FROM task_runs t USING old WHERE t.id = old.id RETURNING t.id
)
SELECT count(*) FROM gone
