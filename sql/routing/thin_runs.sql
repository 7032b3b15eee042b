-- Of runs planned before @before_at only the decisions that changed something are kept: leads that wait, or stay where they are, are decided
-- about again in every run. Such a run cannot be replayed, so what its reps were good at, the widest columns, goes as well.
WITH old AS (
  UPDATE routing_runs SET thinned_at = clock_timestamp()
  WHERE id IN (SELECT id FROM routing_runs WHERE planned_at < @before_at AND thinned_at IS NULL ORDER BY id LIMIT 50 FOR UPDATE SKIP LOCKED)
  RETURNING id
), skills AS (
  UPDATE routing_run_reps r SET product_skills = '{}', region_skills = '{}' FROM old WHERE r.run_id = old.id
)
DELETE FROM routing_decisions d USING old WHERE d.run_id = old.id AND d.outcome IN ('kept', 'left')
