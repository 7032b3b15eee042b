-- Months of the score history without a partition: this one, the three to come, and those whose rows wait in the default partition.
SELECT m.month AT TIME ZONE 'UTC' AS month_at
FROM (
  SELECT date_trunc('month', @as_of AT TIME ZONE 'UTC') + make_interval(months => ahead) AS month FROM generate_series(0, 3) AS ahead
  UNION
  SELECT date_trunc('month', calculated_at AT TIME ZONE 'UTC') FROM lead_scores_default WHERE isfinite(calculated_at)
) m
WHERE to_regclass(concat('lead_scores_', to_char(m.month, 'YYYYMM'))) IS NULL
ORDER BY m.month
