-- The next values that are sealed with another key than @key.
SELECT v.lead_id, v.token, v.sealed
FROM sealed_values v
WHERE (v.lead_id, v.token) > (@after, @after_token) AND v.key_id <> @key
ORDER BY v.lead_id, v.token
LIMIT @limit
FOR UPDATE
