-- The models that were published at the end of the period, with their drift as last measured before it: of each feature (population stability
-- index), and of past predictions against what happened (calibration). A model that was not measured yet has one row without figures.
SELECT
  m.kind::text AS model, coalesce(d.measure, 'unmeasured')::text AS measure, nullif(d.feature, '')::text AS feature, d.value, d.level::text AS level,
  d.deals, d.expected, d.observed, to_char(d.day, 'YYYY-MM-DD') AS measured_on
FROM ml_models m
LEFT JOIN ml_drift d ON d.model_id = m.id AND d.day = (
  SELECT max(l.day) FROM ml_drift l WHERE l.model_id = m.id AND l.day < (@to_at::timestamptz AT TIME ZONE 'UTC')::date)
WHERE m.published_at < @to_at AND (m.retired_at IS NULL OR m.retired_at >= @to_at)
ORDER BY m.kind, m.id, d.measure, d.value DESC NULLS LAST, d.feature
