-- The links of staged records: by id, of those that went into them, and those whose create was never answered, by our key.
SELECT s.crm_id, k.id, k.how
FROM crm_staged s
CROSS JOIN LATERAL (
  SELECT o.id, 'id' AS how FROM crm_links o WHERE o.crm = s.crm AND o.object = s.object AND o.crm_id = s.crm_id
  UNION ALL
  SELECT o.id, 'merged' FROM crm_links o WHERE o.crm = s.crm AND o.object = s.object AND o.crm_id = ANY (s.merged_ids) AND o.crm_id <> s.crm_id
  UNION ALL
  SELECT o.id, 'key' FROM crm_links o WHERE o.crm = s.crm AND o.object = s.object AND o.key = s.key AND o.crm_id IS NULL AND o.status <> 'merged'
) AS k
WHERE s.crm = @crm AND s.object = @object AND s.crm_id = ANY (@crm_ids::text[])
ORDER BY s.crm_id, k.id
