-- Takes the next links that a push has to look at, under a lease. A deal waits until its lead is in the CRM.
WITH due AS MATERIALIZED (
  SELECT k.id
  FROM crm_links k
  WHERE k.crm = @crm AND k.object = @object AND k.pending AND k.id > @after
    AND (k.lease_until IS NULL OR k.lease_until <= clock_timestamp())
    AND (k.status = 'active' OR (k.status = 'deleted_here' AND k.crm_id IS NOT NULL))
    AND (k.object = 'lead' OR k.crm_id IS NOT NULL OR EXISTS (
      SELECT FROM crm_links p
      WHERE p.crm = k.crm AND p.object = 'lead' AND p.lead_ext_id = k.lead_ext_id AND p.status IN ('active', 'merged')
        AND (p.crm_id IS NOT NULL OR p.merged_into IS NOT NULL)))
  ORDER BY k.id
  LIMIT @limit
  FOR NO KEY UPDATE SKIP LOCKED
)
UPDATE crm_links k
SET lease_token = @token::uuid, lease_until = clock_timestamp() + @lease * interval '1 second'
FROM due
WHERE k.id = due.id
RETURNING
  k.id, k.key, k.lead_ext_id, k.crm_id, k.status, k.our_base::text, k.their_base::text, k.sending::text, k.version, k.changes, k.changed_at,
  k.problem_values::text, false AS leased, k.their_modified_at
