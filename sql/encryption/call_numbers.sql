-- The sealed numbers of these calls.
SELECT m.lead_ext_id, m.recipient FROM outbox_messages m WHERE m.id = ANY (@ids::bigint[]) AND m.lead_ext_id IS NOT NULL AND m.recipient LIKE 'sealed-%'
