-- The next entries of the CRM sync's journal about a phone or notes that are in clear or under another key than @key; @key null: that are sealed.
SELECT c.id, c.link_id, c.version, c.field, c.base_value, c.our_value, c.their_value
FROM crm_conflicts c
WHERE c.id > @after AND c.field IN ('phone', 'notes')
  AND (sealed_otherwise(jsonb_build_object('phone', c.base_value, 'notes', c.our_value), @key)
    OR sealed_otherwise(jsonb_build_object('phone', c.their_value), @key))
ORDER BY c.id
LIMIT @limit
FOR NO KEY UPDATE
