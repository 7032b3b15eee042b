-- Leads that share one of these e-mail addresses or telephone numbers, however they write it (0034 is +34), through the indexes on
-- both.
SELECT l.ext_id FROM leads l
WHERE lower(l.email) = ANY (ARRAY(SELECT lower(btrim(a)) FROM unnest(@emails::text[]) AS a)) AND l.email IS NOT NULL
UNION
SELECT l.ext_id FROM leads l
WHERE regexp_replace(l.phone, '[^0-9]', '', 'g') = ANY (@digits::text[]) AND l.phone IS NOT NULL
LIMIT @limit
