-- Takes the next record to erase, under a lease: two runs never ask for one at once. Deals before the people they belong to.
UPDATE privacy_crm_erasures e
SET lease_token = @token::uuid, lease_until = clock_timestamp() + @lease * interval '1 second', attempts = e.attempts + 1
FROM (
  SELECT d.id
  FROM privacy_crm_erasures d
  WHERE d.crm = @crm AND d.done_at IS NULL AND d.not_before <= clock_timestamp() AND coalesce(d.lease_until <= clock_timestamp(), true)
    AND d.id <> ALL (@tried::bigint[])
  ORDER BY d.object, d.id
  LIMIT 1
  FOR UPDATE SKIP LOCKED
) AS due
WHERE e.id = due.id
RETURNING e.id, e.object, e.crm_id, e.key
