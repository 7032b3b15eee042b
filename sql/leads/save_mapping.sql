-- Saves a column mapping under its name; the same text again changes nothing.
INSERT INTO lead_import_mappings AS m (name, kind, document, created_at, updated_at)
VALUES (@name, @kind, @document, @as_of, @as_of)
ON CONFLICT (name) DO UPDATE SET kind = excluded.kind, document = excluded.document, updated_at = excluded.updated_at
WHERE (m.kind, m.document) IS DISTINCT FROM (excluded.kind, excluded.document)
