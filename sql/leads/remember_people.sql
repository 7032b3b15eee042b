-- Notes for a dry run whom a batch would have inserted or filled.
INSERT INTO lead_import_people (import_id, seq, ext_id, email_key, phone_key, first_name_key, last_name_key)
SELECT @import_id, p.*
FROM unnest(@seqs::bigint[], @ext_ids::text[], @emails::text[], @phones::text[], @first_names::text[], @last_names::text[]) AS p
