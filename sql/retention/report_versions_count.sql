-- What report_versions would delete in all.
SELECT count(*)
FROM reports r
WHERE r.built_at < @before_at
  AND EXISTS (
    SELECT FROM reports n
    WHERE n.report_type = r.report_type AND n.period_start = r.period_start AND n.language = r.language AND n.version > r.version)
