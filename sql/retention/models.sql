-- A chunk of models that were refused, or retired long ago, with their drift. Never one that is published or that a deal's present prediction came from.
WITH old AS (
  SELECT m.id
  FROM ml_models m
  WHERE m.status <> 'published' AND coalesce(m.retired_at, m.trained_at) < @before_at
    AND NOT EXISTS (SELECT FROM deal_predictions p WHERE m.id IN (p.win_model, p.value_model, p.time_model, p.risk_model))
  ORDER BY m.id
  LIMIT @limit::bigint
  FOR UPDATE SKIP LOCKED
), gone AS (
  DELETE FROM ml_models m USING old WHERE m.id = old.id RETURNING m.id
)
SELECT count(*) FROM gone
