-- The links of the person's leads.
SELECT k.id FROM crm_links k WHERE k.lead_ext_id = ANY (@leads::text[]) ORDER BY k.id FOR UPDATE
