-- Locks messages and reads them.
SELECT m.id, l.lead_id, l.ext_id, m.channel, m.recipient, m.payload::text
FROM outbox_messages m
JOIN leads l ON l.ext_id = m.lead_ext_id
WHERE m.id = ANY (@ids::bigint[])
ORDER BY m.id
FOR NO KEY UPDATE OF m
