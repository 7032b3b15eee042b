-- Rows from @first to @last that would become new leads, in the order they were read, with what tells people apart. The same expressions
-- as in the indexes on leads.
SELECT
  r.seq,
  r.ext_id,
  lower(r.email) AS email_key,
  regexp_replace(r.phone, '[^0-9]', '', 'g') AS phone_key,
  lower(btrim(r.first_name)) AS first_name_key,
  lower(btrim(r.last_name)) AS last_name_key
FROM lead_import_rows r
WHERE r.import_id = @import_id AND r.seq BETWEEN @first AND @last AND r.target IS NULL
  AND NOT EXISTS (SELECT 1 FROM leads l WHERE l.ext_id = r.ext_id)
ORDER BY r.seq
