-- The same values under another key.
UPDATE sealed_values v
SET key_id = @key, sealed = i.sealed
FROM unnest(@lead_ids::bigint[], @tokens::text[], @sealed::bytea[]) AS i (lead_id, token, sealed)
WHERE v.lead_id = i.lead_id AND v.token = i.token
