-- The phone numbers of staged rows from @first to @last, with the leads they belong to.
SELECT r.ext_id, r.target, r.phone, s.sealed
FROM lead_import_rows r
JOIN lead_import_sealed s ON s.import_id = r.import_id AND s.token = r.phone
WHERE r.import_id = @import_id AND r.seq BETWEEN @first AND @last AND r.phone IS NOT NULL
