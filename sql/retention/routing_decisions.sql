-- A few runs of routing with their decisions, reps and classes: a run may hold a decision for every lead, so that a chunk counts runs.
WITH old AS (
  SELECT id FROM routing_runs WHERE planned_at < @before_at ORDER BY id LIMIT greatest(@limit::bigint / 1000, 1) FOR UPDATE SKIP LOCKED
), gone AS (
  DELETE FROM routing_runs r USING old WHERE r.id = old.id RETURNING r.id
)
SELECT count(*) FROM gone
