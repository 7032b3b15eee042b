-- What the CRM said. Once the record is gone nothing is kept but its id there, which is the receipt.
UPDATE privacy_crm_erasures e
SET answer = @answer::text, done_at = CASE WHEN @done::boolean THEN clock_timestamp() END, key = CASE WHEN @done::boolean THEN NULL ELSE e.key END,
    crm_id = coalesce(e.crm_id, @crm_id::text), lease_token = NULL, lease_until = NULL
WHERE e.id = @id::bigint AND e.lease_token = @token::uuid
