-- A proof that nobody needs any more.
DELETE FROM consent_changes t WHERE t.lead_ext_id = ANY (@leads::text[]) OR t.lead_ext_id = ANY (@new_ids::text[])
