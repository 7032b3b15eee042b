-- New deals in the CRM that are not attached to their lead there yet. Each deal's lead is looked up by its id alone, behind OFFSET 0: right
-- after the first push the table's statistics are those of an empty one, and as a plain join PostgreSQL read all links of the CRM for every
-- deal (27 s for 8,549 deals).
SELECT k.id, k.crm_id, coalesce(c.crm_id, c.merged_into) AS lead_crm_id
FROM crm_links k
CROSS JOIN LATERAL (
  SELECT o.crm, o.object, o.status, o.crm_id, o.merged_into FROM crm_links o WHERE o.lead_ext_id = k.lead_ext_id OFFSET 0
) AS c
WHERE k.crm = @crm AND k.object = 'deal' AND k.related_to IS NULL AND k.crm_id IS NOT NULL AND k.status = 'active'
  AND c.crm = k.crm AND c.object = 'lead' AND c.status IN ('active', 'merged') AND coalesce(c.crm_id, c.merged_into) IS NOT NULL
ORDER BY k.id
LIMIT @limit
