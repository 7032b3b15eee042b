-- People of a dry run of an import.
DELETE FROM lead_import_people t WHERE t.ext_id = ANY (@ids::text[]) OR t.email_key = ANY (@emails::text[]) OR t.phone_key = ANY (@digits::text[])
