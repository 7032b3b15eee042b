-- The reports that hold one of the files; a report is built anew from what is left.
DELETE FROM reports r
WHERE r.id IN (SELECT f.report_id FROM report_files f WHERE f.sha256 = ANY (@files::bytea[]))
