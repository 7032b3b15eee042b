-- Locks the deals of these links.
SELECT p.id
FROM sales_pipeline p
WHERE p.lead_ext_id IN (SELECT k.lead_ext_id FROM crm_links k WHERE k.id = ANY (@ids::bigint[]))
ORDER BY p.id
FOR NO KEY UPDATE
