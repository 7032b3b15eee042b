-- What models would delete in all.
SELECT count(*)
FROM ml_models m
WHERE m.status <> 'published' AND coalesce(m.retired_at, m.trained_at) < @before_at
  AND NOT EXISTS (SELECT FROM deal_predictions p WHERE m.id IN (p.win_model, p.value_model, p.time_model, p.risk_model))
