-- New deals in the CRM that are not attached to their lead there yet.
SELECT k.id, k.crm_id, coalesce(c.crm_id, c.merged_into) AS lead_crm_id
FROM crm_links k
JOIN crm_links c ON c.crm = k.crm AND c.object = 'lead' AND c.lead_ext_id = k.lead_ext_id
WHERE k.crm = @crm AND k.object = 'deal' AND k.related_to IS NULL AND k.crm_id IS NOT NULL AND k.status = 'active'
  AND coalesce(c.crm_id, c.merged_into) IS NOT NULL AND c.status IN ('active', 'merged')
ORDER BY k.id
LIMIT @limit
