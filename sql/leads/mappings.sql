-- Saved column mappings, or the one called @name.
SELECT name, kind, document, created_at, updated_at
FROM lead_import_mappings
WHERE @name::text IS NULL OR name = @name
ORDER BY name
