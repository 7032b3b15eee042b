-- A dry run's insert_new.sql: takes the rows from @first to @last that would become leads.
DELETE FROM lead_import_rows r
WHERE r.import_id = @import_id AND r.seq BETWEEN @first AND @last AND r.target IS NULL
  AND NOT EXISTS (SELECT 1 FROM leads l WHERE l.ext_id = r.ext_id)
