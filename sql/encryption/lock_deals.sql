-- Locks deals in the order in which everybody locks them, and reads what they hold now.
SELECT p.id, l.lead_id, l.ext_id, p.phone, p.notes
FROM sales_pipeline p
JOIN leads l ON l.ext_id = p.lead_ext_id
WHERE p.id = ANY (@ids::bigint[])
ORDER BY p.id
FOR NO KEY UPDATE OF p
