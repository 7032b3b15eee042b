-- Tells other imports that this one still works on its staged rows.
UPDATE lead_imports SET heartbeat_at = @heartbeat_at WHERE id = @import_id
