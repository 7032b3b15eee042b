-- The CRM is told by an erasure and by nothing else; the list is short, it is emptied by every push.
DELETE FROM crm_changes t WHERE t.lead_ext_id = ANY (@leads::text[]) OR t.lead_ext_id = ANY (@new_ids::text[])
