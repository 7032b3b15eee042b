-- Which record of a CRM is the person, and the values both sides agreed on.
SELECT to_jsonb(t)::text FROM crm_links t WHERE t.lead_ext_id = ANY (@leads::text[]) ORDER BY t.id
