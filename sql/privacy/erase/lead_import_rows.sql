-- Rows of imports that are under way or were cut off.
DELETE FROM lead_import_rows t
WHERE t.ext_id = ANY (@ids::text[]) OR t.target = ANY (@leads::text[]) OR lower(t.email) = ANY (@emails::text[])
  OR regexp_replace(t.phone, '[^0-9]', '', 'g') = ANY (@digits::text[])
  OR t.raw ~* @strong
