-- Events of imports that are under way or were cut off.
SELECT to_jsonb(t)::text FROM lead_import_events t WHERE t.lead_ext_id = ANY (@ids::text[]) OR lower(t.email) = ANY (@emails::text[]) ORDER BY t.import_id, t.seq
