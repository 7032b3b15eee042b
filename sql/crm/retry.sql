-- Lets the next push try again what the CRM refused (@recreate: make again what was deleted there), of these leads or of all.
WITH chosen AS (
  SELECT k.id
  FROM crm_links k
  WHERE (@leads::text[] IS NULL OR k.lead_ext_id = ANY (@leads::text[]))
    AND CASE WHEN @recreate::boolean THEN k.status = 'deleted_there' AND k.lead_ext_id IS NOT NULL ELSE k.problem IS NOT NULL AND k.status = 'active' END
  ORDER BY k.id
  FOR NO KEY UPDATE
)
UPDATE crm_links k
SET problem = NULL, problem_values = NULL, failed_at = NULL, pending = true, changes = k.changes + 1,
    status = 'active',
    crm_id = CASE WHEN @recreate::boolean THEN NULL ELSE k.crm_id END,
    related_to = CASE WHEN @recreate::boolean THEN NULL ELSE k.related_to END,
    their_modified_at = CASE WHEN @recreate::boolean THEN NULL ELSE k.their_modified_at END,
    our_base = CASE WHEN @recreate::boolean THEN '{}' ELSE k.our_base END,
    their_base = CASE WHEN @recreate::boolean THEN '{}' ELSE k.their_base END
FROM chosen c
WHERE k.id = c.id
