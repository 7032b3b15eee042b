-- Which of these ids of the CRM have a link already. Looked up one by one, see match_links.
SELECT k.crm_id
FROM unnest(@crm_ids::text[]) AS i (crm_id)
CROSS JOIN LATERAL (SELECT o.crm_id FROM crm_links o WHERE o.crm = @crm AND o.object = @object AND o.crm_id = i.crm_id OFFSET 0) AS k
