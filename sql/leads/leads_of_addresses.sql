-- Leads that share one of these addresses: who must not be written to there must not be under another id either.
SELECT l.ext_id
FROM leads l
WHERE lower(l.email) = ANY (ARRAY(SELECT lower(btrim(a)) FROM unnest(@emails::text[]) AS a)) AND l.email IS NOT NULL
UNION
SELECT l.ext_id
FROM leads l
WHERE regexp_replace(l.phone, '[^0-9]', '', 'g') = ANY (ARRAY(SELECT regexp_replace(a, '[^0-9]', '', 'g') FROM unnest(@phones::text[]) AS a))
  AND l.phone IS NOT NULL
