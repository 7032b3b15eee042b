-- The same among the people that earlier batches of a dry run would have inserted or filled.
SELECT p.ext_id, p.email_key, p.phone_key, p.first_name_key, p.last_name_key
FROM lead_import_people p
WHERE p.import_id = @import_id AND (p.email_key = ANY (@emails::text[]) OR p.phone_key = ANY (@phones::text[]))
ORDER BY p.seq
