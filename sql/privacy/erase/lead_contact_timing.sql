-- Learned about one person.
DELETE FROM lead_contact_timing t WHERE t.lead_ext_id = ANY (@leads::text[]) OR t.lead_ext_id = ANY (@new_ids::text[])
