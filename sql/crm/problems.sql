-- What the CRM refused and why, the latest first.
SELECT k.lead_ext_id, k.object, k.problem, k.failed_at
FROM crm_links k
WHERE k.problem IS NOT NULL AND k.status = 'active'
ORDER BY k.failed_at DESC, k.id
LIMIT @limit
