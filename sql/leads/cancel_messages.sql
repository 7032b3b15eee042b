-- Cancels what waits to reach these leads, or these addresses, on the channels given. A message that a dispatcher claims at this moment is
-- passed over: it is judged by the claim.
UPDATE outbox_messages m
SET status = 'cancelled', finished_at = sales_now(), reason = 'opt_out'
FROM (
  SELECT id
  FROM outbox_messages
  WHERE status = 'pending' AND purpose IN ('campaign', 'followup') AND lead_ext_id = ANY (@leads::text[])
    AND ((channel = 'email' AND @email) OR (channel = 'call' AND @phone))
  ORDER BY id
  FOR UPDATE SKIP LOCKED
) AS waiting
WHERE m.id = waiting.id
