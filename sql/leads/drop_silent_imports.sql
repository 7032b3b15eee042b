-- Imports that were killed leave staged rows behind; the next import drops them.
WITH silent AS (
  DELETE FROM lead_imports WHERE heartbeat_at < @silent_since_at RETURNING id
), dropped_rows AS (
  DELETE FROM lead_import_rows WHERE import_id IN (SELECT id FROM silent)
), dropped_events AS (
  DELETE FROM lead_import_events WHERE import_id IN (SELECT id FROM silent)
), dropped_sealed AS (
  DELETE FROM lead_import_sealed WHERE import_id IN (SELECT id FROM silent)
)
SELECT count(*) FROM silent
