-- Sealed numbers of imports that are under way or were cut off.
DELETE FROM lead_import_sealed t WHERE regexp_replace(t.token, '[^0-9]', '', 'g') = ANY (@digits::text[])
