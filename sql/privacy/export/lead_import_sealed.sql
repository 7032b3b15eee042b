-- Sealed numbers of imports that are under way or were cut off.
SELECT jsonb_build_object('import_id', t.import_id, 'value', t.token)::text
FROM lead_import_sealed t WHERE regexp_replace(t.token, '[^0-9]', '', 'g') = ANY (@digits::text[]) ORDER BY t.import_id, t.token
