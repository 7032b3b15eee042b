-- Events of imports that are under way or were cut off.
DELETE FROM lead_import_events t WHERE t.lead_ext_id = ANY (@ids::text[]) OR lower(t.email) = ANY (@emails::text[]) OR t.raw ~* @strong
