-- Stores sealed values. One that is there already stays as it is: an equal token is an equal value. DO UPDATE and not DO NOTHING, because that
-- would take a row for stored that another transaction is deleting as unused.
INSERT INTO sealed_values AS v (lead_id, token, key_id, sealed)
SELECT i.lead_id, i.token, @key_id, i.sealed
FROM unnest(@lead_ids::bigint[], @tokens::text[], @sealed::bytea[]) AS i (lead_id, token, sealed)
ORDER BY i.lead_id, i.token
ON CONFLICT (lead_id, token) DO UPDATE SET unused_since = NULL WHERE v.unused_since IS NOT NULL
