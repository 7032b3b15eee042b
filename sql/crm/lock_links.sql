-- Locks links and reads them as they are now. @token null: whoever holds them; a link that another run works on comes as leased.
SELECT
  k.id, k.key, k.lead_ext_id, k.crm_id, k.status, k.our_base::text, k.their_base::text, k.sending::text, k.version, k.changes, k.changed_at,
  k.problem_values::text, coalesce(k.lease_until > clock_timestamp(), false) AND k.lease_token IS DISTINCT FROM @token::uuid AS leased,
  k.their_modified_at
FROM crm_links k
WHERE k.id = ANY (@ids::bigint[]) AND (@token::uuid IS NULL OR k.lease_token = @token::uuid)
ORDER BY k.id
FOR NO KEY UPDATE
