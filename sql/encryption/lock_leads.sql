-- Locks leads in the order in which everybody locks them, and reads their phones as they are now.
SELECT l.lead_id, l.ext_id, l.phone
FROM leads l
WHERE l.lead_id = ANY (@ids::bigint[])
ORDER BY l.lead_id
FOR NO KEY UPDATE
