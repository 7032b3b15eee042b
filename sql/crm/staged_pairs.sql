-- Staged records that staged_volume.sql takes for changed, in pages, with what both sides agreed on: sealed values compare only when they are open.
SELECT s.crm_id, k.id, s.properties::text, k.their_base::text
FROM crm_staged s
CROSS JOIN LATERAL (
  SELECT o.id, o.their_base
  FROM crm_links o
  WHERE o.crm = s.crm AND o.object = s.object AND o.crm_id = s.crm_id AND o.status = 'active'
  OFFSET 0
) AS k
WHERE s.crm = @crm AND s.object = @object AND s.crm_id > @after AND NOT s.deleted AND NOT k.their_base @> s.properties
ORDER BY s.crm_id
LIMIT @limit
