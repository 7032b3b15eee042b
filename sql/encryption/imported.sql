-- Of these leads those that hold these tokens and have no sealed value for them yet.
SELECT DISTINCT l.lead_id, k.token
FROM unnest(@leads::text[], @tokens::text[]) AS k (lead, token)
JOIN leads l ON l.ext_id = k.lead AND l.phone = k.token
WHERE NOT EXISTS (SELECT FROM sealed_values v WHERE v.lead_id = l.lead_id AND v.token = k.token AND v.unused_since IS NULL)
ORDER BY l.lead_id
