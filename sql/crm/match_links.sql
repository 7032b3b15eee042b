-- The links of staged records: by id, of those that went into them, and those whose create was never answered, by our key. Each staged record
-- and each merged id is looked up for itself (OFFSET 0): given as a list, PostgreSQL reads all of the CRM's where statistics are still
-- those of an empty table.
SELECT s.crm_id, k.id, k.how
FROM unnest(@crm_ids::text[]) AS i (crm_id)
CROSS JOIN LATERAL (
  SELECT t.crm, t.object, t.crm_id, t.key, t.merged_ids
  FROM crm_staged t
  WHERE t.crm = @crm AND t.object = @object AND t.crm_id = i.crm_id
  OFFSET 0
) AS s
CROSS JOIN LATERAL (
  SELECT o.id, 'id' AS how FROM crm_links o WHERE o.crm = s.crm AND o.object = s.object AND o.crm_id = s.crm_id
  UNION ALL
  SELECT m.id, 'merged'
  FROM (SELECT DISTINCT unnest(s.merged_ids) AS crm_id) AS g
  CROSS JOIN LATERAL (
    SELECT o.id FROM crm_links o WHERE o.crm = s.crm AND o.object = s.object AND o.crm_id = g.crm_id OFFSET 0
  ) AS m
  WHERE g.crm_id <> s.crm_id
  UNION ALL
  SELECT o.id, 'key' FROM crm_links o WHERE o.crm = s.crm AND o.object = s.object AND o.key = s.key AND o.crm_id IS NULL AND o.status <> 'merged'
) AS k
ORDER BY s.crm_id, k.id
