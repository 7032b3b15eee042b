-- Values of the person on both sides.
DELETE FROM crm_conflicts t WHERE t.lead_ext_id = ANY (@leads::text[]) OR t.lead_ext_id = ANY (@new_ids::text[])
