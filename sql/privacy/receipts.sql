-- What became of each record that a CRM has to erase; @request_id null: of those that no request of ours found (a CRM told of them later).
SELECT c.id, c.crm, c.object, c.crm_id, c.queued_at, c.attempts, c.answer, c.done_at
FROM privacy_crm_erasures c
WHERE c.request_id IS NOT DISTINCT FROM @request_id::bigint
ORDER BY c.id
LIMIT @limit
