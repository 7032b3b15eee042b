-- Tokens of phones and notes that have no value: what stood there can no longer be read. Nothing is read where encryption is off.
SELECT
  'error' AS severity,
  f.place AS subject,
  format('%s rows have a token without its sealed value, for instance of lead %s', f.missing, f.example) AS detail,
  format('%s filas tienen una marca sin su valor cifrado, por ejemplo del lead %s', f.missing, f.example) AS detail_es,
  'restore sealed_values from the backup of before, or write the values anew' AS fix
FROM (
  SELECT 'leads.phone' AS place, count(*) AS missing, min(l.ext_id) AS example
  FROM leads l
  WHERE l.phone LIKE 'sealed-%' AND NOT EXISTS (SELECT FROM sealed_values v WHERE v.lead_id = l.lead_id AND v.token = l.phone)
    AND (SELECT EXISTS (SELECT FROM encryption_state))
  UNION ALL
  SELECT 'sales_pipeline.' || c.name, count(*), min(p.lead_ext_id)
  FROM sales_pipeline p
  JOIN leads l ON l.ext_id = p.lead_ext_id
  CROSS JOIN LATERAL (VALUES ('phone', p.phone::text), ('notes', substring(p.notes FROM '^sealed-[a-p]{32}$'))) AS c (name, token)
  WHERE c.token LIKE 'sealed-%' AND NOT EXISTS (SELECT FROM sealed_values v WHERE v.lead_id = l.lead_id AND v.token = c.token)
    AND (SELECT EXISTS (SELECT FROM encryption_state))
  GROUP BY c.name
) AS f
WHERE f.missing > 0
