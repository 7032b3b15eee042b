-- What became of links. settled: nothing is on its way any more. looked_at: the count of changes that the run had seen; a later one keeps
-- the link pending. Where the lead was deleted meanwhile no value of it is kept. A member that is missing leaves its column alone. @token null: links of no other run, which lock_links told.
UPDATE crm_links k
SET our_base = CASE WHEN k.lead_ext_id IS NULL THEN '{}' ELSE k.our_base || coalesce(i.our_base, '{}') END,
    their_base = CASE WHEN k.lead_ext_id IS NULL THEN '{}' ELSE k.their_base || coalesce(i.their_base, '{}') END,
    version = k.version + CASE WHEN i.settled THEN 1 ELSE 0 END,
    sending = CASE WHEN i.settled OR k.lead_ext_id IS NULL THEN NULL ELSE coalesce(i.sending, k.sending) END,
    crm_id = CASE WHEN i.status = 'merged' THEN NULL ELSE coalesce(i.crm_id, k.crm_id) END,
    status = coalesce(i.status, k.status),
    merged_into = coalesce(i.merged_into, k.merged_into),
    their_modified_at = greatest(k.their_modified_at, i.modified_at),
    problem = CASE WHEN k.lead_ext_id IS NULL THEN NULL WHEN i.problem IS NOT NULL THEN i.problem WHEN i.written THEN NULL ELSE k.problem END,
    problem_values = CASE WHEN k.lead_ext_id IS NULL THEN NULL WHEN i.problem IS NOT NULL THEN i.problem_values WHEN i.written THEN NULL ELSE k.problem_values END,
    failed_at = CASE WHEN i.problem IS NOT NULL THEN sales_now() WHEN i.written THEN NULL ELSE k.failed_at END,
    synced_at = CASE WHEN i.written THEN sales_now() ELSE k.synced_at END,
    pending = CASE WHEN i.mark THEN true WHEN i.looked_at IS NOT NULL THEN k.changes <> i.looked_at ELSE k.pending END,
    changes = k.changes + CASE WHEN i.mark THEN 1 ELSE 0 END,
    lease_token = CASE WHEN i.release THEN NULL ELSE k.lease_token END,
    lease_until = CASE WHEN i.release THEN NULL ELSE k.lease_until END
FROM jsonb_to_recordset(@items::jsonb) AS i (
  id bigint, our_base jsonb, their_base jsonb, settled boolean, sending jsonb, crm_id text, status text, merged_into text, modified_at timestamptz,
  problem text, problem_values jsonb, written boolean, looked_at int, mark boolean, release boolean)
WHERE k.id = i.id AND (@token::uuid IS NULL OR k.lease_token = @token::uuid)
