-- A chunk of reports that a newer version of the same period replaced. The newest version of every period stays, and so do the forecasts.
WITH old AS (
  SELECT r.id
  FROM reports r
  WHERE r.built_at < @before_at
    AND EXISTS (
      SELECT FROM reports n
      WHERE n.report_type = r.report_type AND n.period_start = r.period_start AND n.language = r.language AND n.version > r.version)
  ORDER BY r.id
  LIMIT @limit::bigint
  FOR UPDATE SKIP LOCKED
), gone AS (
  DELETE FROM reports r USING old WHERE r.id = old.id RETURNING r.id
)
SELECT count(*) FROM gone
