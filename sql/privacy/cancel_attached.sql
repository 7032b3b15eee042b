-- What waits to be sent with one of the files cannot be sent without it.
UPDATE outbox_messages m
SET status = 'cancelled', finished_at = sales_now(), reason = 'erased', lease_token = NULL, lease_until = NULL
WHERE m.lead_ext_id IS NULL AND m.status IN ('pending', 'leased', 'dead', 'in_doubt') AND EXISTS (
  SELECT FROM unnest(@files::bytea[]) AS f WHERE position(encode(f, 'hex') IN m.payload::text) > 0)
