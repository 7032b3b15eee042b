-- The newest version of a period's report in a language.
SELECT id, version, sha256, summary::text
FROM reports
WHERE report_type = @type AND period_start = @from_at AND language = @language
ORDER BY version DESC
LIMIT 1
