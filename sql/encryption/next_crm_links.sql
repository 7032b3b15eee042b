-- The next links of the CRM sync that hold a phone or notes in clear or under another key than @key; @key null: that hold sealed ones.
SELECT k.id, k.our_base::text, k.their_base::text, k.sending::text, k.problem_values::text
FROM crm_links k
WHERE k.id > @after
  AND (sealed_otherwise(k.our_base, @key) OR sealed_otherwise(k.their_base, @key) OR sealed_otherwise(k.sending, @key)
    OR sealed_otherwise(k.problem_values, @key))
ORDER BY k.id
LIMIT @limit
FOR NO KEY UPDATE
