-- What merging would change here: records that differ from what both sides agreed on, and deletions.
SELECT
  count(*) FILTER (WHERE NOT s.deleted AND NOT k.their_base @> s.properties) AS changed,
  count(*) FILTER (WHERE s.deleted) AS deleted
FROM crm_staged s
JOIN crm_links k ON k.crm = s.crm AND k.object = s.object AND k.crm_id = s.crm_id AND k.status = 'active'
WHERE s.crm = @crm AND s.object = @object
