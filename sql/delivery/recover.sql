-- Messages whose dispatcher did not end them in time. Merely claimed: they go back. On the wire: sent again only where the receiver knows
-- repeats by their key (@idempotent, as the connection declares it), else a person decides.
UPDATE outbox_messages m
SET status = CASE WHEN m.status = 'leased' OR @idempotent THEN 'pending' ELSE 'in_doubt' END,
    finished_at = CASE WHEN m.status = 'leased' OR @idempotent THEN NULL ELSE sales_now() END,
    reason = CASE WHEN m.status = 'leased' THEN NULL ELSE 'its dispatcher ended between sending and recording' END,
    lease_token = NULL,
    lease_until = NULL
FROM (
  SELECT id
  FROM outbox_messages
  WHERE status IN ('leased', 'sending') AND channel = @channel AND lease_until <= clock_timestamp()
  ORDER BY id
  LIMIT 1000
  FOR UPDATE SKIP LOCKED
) AS expired
WHERE m.id = expired.id
RETURNING m.id, m.status
