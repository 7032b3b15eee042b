-- Under a key of their own, held by no run, and nothing is to be pushed: the erasure does it.
UPDATE crm_links t
SET key = 'erased/' || t.id, pending = false, lease_token = NULL, lease_until = NULL, related_to = NULL
WHERE t.id = ANY (@links::bigint[])
