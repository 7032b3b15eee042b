-- Rows stay, so that nothing is written twice and what was sent is counted; texts and addresses go. A message that waits, or that a dispatcher
-- has claimed, is off: its dispatcher finds the claim gone before it sends. One that is on the wire at this moment keeps its claim, and its outcome
-- is recorded as it comes; it is not tried again, since the lead's consent is refused from now on.
UPDATE outbox_messages t
SET payload = '{}', recipient = NULL, reason = CASE WHEN s.off THEN 'erased' ELSE without_person(t.reason, @terms::text[]) END,
    idempotency_key = CASE WHEN t.idempotency_key ~* @strong THEN 'erased/' || t.id ELSE t.idempotency_key END,
    status = CASE WHEN s.off THEN 'cancelled' ELSE t.status END,
    finished_at = CASE WHEN s.off AND t.finished_at IS NULL THEN sales_now() ELSE t.finished_at END,
    lease_token = CASE WHEN s.off THEN NULL ELSE t.lease_token END, lease_until = CASE WHEN s.off THEN NULL ELSE t.lease_until END
FROM (SELECT m.id, m.status IN ('pending', 'leased', 'in_doubt', 'dead') AS off FROM outbox_messages m WHERE m.lead_ext_id = ANY (@leads::text[]) OFFSET 0) AS s
WHERE t.id = s.id AND (s.off OR t.payload <> '{}' OR t.recipient IS NOT NULL OR t.idempotency_key ~* @strong)
