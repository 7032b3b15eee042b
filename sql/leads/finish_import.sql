-- Drops what is left of a run's staged rows.
WITH dropped_rows AS (
  DELETE FROM lead_import_rows WHERE import_id = @import_id
), dropped_events AS (
  DELETE FROM lead_import_events WHERE import_id = @import_id
), dropped_sealed AS (
  DELETE FROM lead_import_sealed WHERE import_id = @import_id
)
DELETE FROM lead_imports WHERE id = @import_id
