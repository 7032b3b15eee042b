-- Months without a partition: this one, the three to come, and those whose rows wait in the default partition. The audit log follows the server's
-- clock, the score history the instant of the run.
SELECT m.table_name, m.month AT TIME ZONE 'UTC' AS month_at
FROM (
  SELECT 'lead_scores' AS table_name, date_trunc('month', @as_of AT TIME ZONE 'UTC') + make_interval(months => ahead) AS month FROM generate_series(0, 3) AS ahead
  UNION
  SELECT 'lead_scores', date_trunc('month', calculated_at AT TIME ZONE 'UTC') FROM lead_scores_default WHERE isfinite(calculated_at)
  UNION
  SELECT 'audit_log', date_trunc('month', now() AT TIME ZONE 'UTC') + make_interval(months => ahead) FROM generate_series(0, 3) AS ahead
  UNION
  SELECT 'audit_log', date_trunc('month', happened_at AT TIME ZONE 'UTC') FROM audit_log_default
) m
WHERE to_regclass(concat(m.table_name, '_', to_char(m.month, 'YYYYMM'))) IS NULL
ORDER BY m.table_name DESC, m.month
