-- Locks the leads of these links, before the links: in the order in which a deletion of a lead takes them.
SELECT l.ext_id
FROM leads l
WHERE l.ext_id IN (SELECT k.lead_ext_id FROM crm_links k WHERE k.id = ANY (@ids::bigint[]))
ORDER BY l.ext_id
FOR NO KEY UPDATE
