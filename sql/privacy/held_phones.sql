-- Which of these numbers other leads have, however they write it: a number that people share does not tell one of them, and is no reason to keep
-- the others out.
SELECT DISTINCT n.phone
FROM unnest(@phones::text[], @keys::text[]) AS n (phone, digits)
JOIN leads l ON regexp_replace(l.phone, '[^0-9]', '', 'g') = n.digits AND l.phone IS NOT NULL
WHERE l.ext_id <> ALL (@leads::text[])
