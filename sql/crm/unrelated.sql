-- Takes the next new deals in the CRM that are not attached to their lead there yet, under a lease: a CRM may take the same attachment twice. Each
-- deal's lead is looked up by its id alone, behind OFFSET 0: right after the first push the table's statistics are those of an empty one, and as
-- a plain join PostgreSQL read all links of the CRM for every deal (27 s for 8,549 deals).
WITH due AS MATERIALIZED (
  SELECT k.id, coalesce(c.crm_id, c.merged_into) AS lead_crm_id
  FROM crm_links k
  CROSS JOIN LATERAL (
    SELECT o.crm, o.object, o.status, o.crm_id, o.merged_into FROM crm_links o WHERE o.lead_ext_id = k.lead_ext_id OFFSET 0
  ) AS c
  WHERE k.crm = @crm AND k.object = 'deal' AND k.related_to IS NULL AND k.crm_id IS NOT NULL AND k.status = 'active'
    AND (k.lease_until IS NULL OR k.lease_until <= clock_timestamp())
    AND c.crm = k.crm AND c.object = 'lead' AND c.status IN ('active', 'merged') AND coalesce(c.crm_id, c.merged_into) IS NOT NULL
  ORDER BY k.id
  LIMIT @limit
  FOR NO KEY UPDATE OF k SKIP LOCKED
)
UPDATE crm_links k
SET lease_token = @token::uuid, lease_until = clock_timestamp() + @lease * interval '1 second'
FROM due
WHERE k.id = due.id
RETURNING k.id, k.crm_id, due.lead_crm_id
