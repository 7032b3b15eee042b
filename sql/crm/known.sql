-- What both sides agreed on last, of these ids of the CRM. Looked up one by one, see match_links.
SELECT k.crm_id, k.their_base::text, k.id
FROM unnest(@crm_ids::text[]) AS i (crm_id)
CROSS JOIN LATERAL (SELECT o.crm_id, o.their_base, o.id FROM crm_links o WHERE o.crm = @crm AND o.object = @object AND o.crm_id = i.crm_id OFFSET 0) AS k
