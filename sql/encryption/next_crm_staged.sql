-- The next records of the CRM that wait to be merged and hold a phone or notes in clear or under another key than @key; @key null: that hold sealed ones.
SELECT s.crm, s.object, s.crm_id, s.properties::text
FROM crm_staged s
WHERE (s.crm, s.object, s.crm_id) > (@after_crm, @after_object, @after_id) AND sealed_otherwise(s.properties, @key)
ORDER BY s.crm, s.object, s.crm_id
LIMIT @limit
FOR NO KEY UPDATE
