-- The journal, the latest first.
SELECT c.decided_at, k.crm, k.object, c.lead_ext_id, k.crm_id, c.field, c.base_value, c.our_value, c.their_value, c.winner, c.reason, c.run_id, c.link_id, c.version
FROM crm_conflicts c
JOIN crm_links k ON k.id = c.link_id
WHERE @lead::text IS NULL OR c.lead_ext_id = @lead::text
ORDER BY c.id DESC
LIMIT @limit
