-- Staged rows that no batch has taken.
SELECT
  (SELECT count(*) FROM lead_import_rows WHERE import_id = @import_id) + (SELECT count(*) FROM lead_import_events WHERE import_id = @import_id)
