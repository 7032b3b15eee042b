-- Rows that a killed import left behind in clear; one under way beats at every batch.
DELETE FROM lead_import_rows r
WHERE NOT EXISTS (SELECT FROM lead_imports i WHERE i.id = r.import_id AND i.heartbeat_at > now() - interval '1 hour')
