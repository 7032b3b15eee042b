-- The sealed values of these leads behind these tokens.
SELECT l.ext_id, v.token, v.lead_id, v.sealed
FROM (SELECT DISTINCT k.lead, k.token FROM unnest(@leads::text[], @tokens::text[]) AS k (lead, token)) AS k
JOIN leads l ON l.ext_id = k.lead
JOIN sealed_values v ON v.lead_id = l.lead_id AND v.token = k.token
