-- Every record that the person has in a CRM is to be erased there. Where a push is at one, after its lease: what it writes at this moment is
-- written by then.
INSERT INTO privacy_crm_erasures (request_id, crm, object, crm_id, key, not_before)
SELECT @request_id::bigint, k.crm, k.object, coalesce(k.crm_id, k.merged_into), CASE WHEN coalesce(k.crm_id, k.merged_into) IS NULL THEN k.key END,
       coalesce(k.lease_until, '-infinity')
FROM crm_links k
WHERE k.lead_ext_id = ANY (@leads::text[]) AND k.status <> 'deleted_there'
  AND (k.crm_id IS NOT NULL OR k.merged_into IS NOT NULL OR k.sending IS NOT NULL)
ORDER BY k.object DESC, k.id
-- One that was erased and that somebody brought back there.
ON CONFLICT (crm, object, crm_id) WHERE crm_id IS NOT NULL DO UPDATE
SET done_at = NULL, answer = NULL, request_id = excluded.request_id, not_before = excluded.not_before
WHERE privacy_crm_erasures.done_at IS NOT NULL
