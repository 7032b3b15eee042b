-- Which of these numbers other leads have: a number that people share does not tell one of them, and is no reason to keep the others out.
SELECT DISTINCT n.phone
FROM unnest(@phones::text[]) AS n (phone)
JOIN leads l ON regexp_replace(l.phone, '[^0-9]', '', 'g') = regexp_replace(n.phone, '[^0-9]', '', 'g') AND l.phone IS NOT NULL
WHERE l.ext_id <> ALL (@leads::text[])
