-- Which of these numbers other leads have, however they write it: a number that people share does not tell one of them, and is no reason to keep
-- the others out.
SELECT DISTINCT n.phone
FROM unnest(@phones::text[]) AS n (phone)
CROSS JOIN LATERAL (SELECT person_text('phone', n.phone) AS digits OFFSET 0) AS d
JOIN leads l ON regexp_replace(l.phone, '[^0-9]', '', 'g') IN (d.digits, '0' || d.digits, '00' || d.digits) AND l.phone IS NOT NULL
WHERE l.ext_id <> ALL (@leads::text[])
