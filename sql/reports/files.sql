-- The files of a report.
SELECT f.name, s.content_type, s.content
FROM report_files f
JOIN stored_files s ON s.sha256 = f.sha256
WHERE f.report_id = @id
ORDER BY f.name
