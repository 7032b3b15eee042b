-- Digests and alerts to our own people name leads: the person is taken out of them. What was addressed to the person is off.
UPDATE outbox_messages t
SET payload = without_person(t.payload, @terms::text[]), reason = without_person(t.reason, @terms::text[]),
    recipient = CASE WHEN lower(t.recipient) = ANY (@emails::text[]) THEN NULL ELSE t.recipient END,
    idempotency_key = CASE WHEN t.idempotency_key ~* @strong THEN 'erased/' || t.id ELSE t.idempotency_key END,
    status = CASE WHEN s.off THEN 'cancelled' ELSE t.status END,
    finished_at = CASE WHEN s.off AND t.finished_at IS NULL THEN sales_now() ELSE t.finished_at END,
    lease_token = CASE WHEN s.off THEN NULL ELSE t.lease_token END, lease_until = CASE WHEN s.off THEN NULL ELSE t.lease_until END
FROM (
  SELECT m.id, m.status IN ('pending', 'leased', 'in_doubt', 'dead') AND coalesce(lower(m.recipient) = ANY (@emails::text[]), false) AS off
  FROM outbox_messages m
  WHERE m.lead_ext_id IS NULL AND (
    m.payload::text ~* @strong OR lower(m.recipient) = ANY (@emails::text[]) OR m.idempotency_key ~* @strong OR m.reason ~* @strong)
  OFFSET 0
) AS s
WHERE t.id = s.id
