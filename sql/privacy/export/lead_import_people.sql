-- People of a dry run of an import.
SELECT to_jsonb(t)::text FROM lead_import_people t WHERE t.ext_id = ANY (@ids::text[]) OR t.email_key = ANY (@emails::text[]) OR t.phone_key = ANY (@digits::text[]) ORDER BY t.import_id, t.seq
