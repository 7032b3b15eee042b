-- Forgets a saved column mapping.
DELETE FROM lead_import_mappings WHERE name = @name
