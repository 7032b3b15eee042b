-- Leads that @who names: by id, by another id of theirs, else by e-mail address or telephone number, each with the addresses known of it,
-- its deal's included.
WITH named AS (
  SELECT l.ext_id
  FROM leads l
  WHERE l.ext_id = @who OR l.ext_id = (SELECT a.ext_id FROM lead_aliases a WHERE a.alias_ext_id = @who)
), reached AS (
  SELECT l.ext_id
  FROM leads l
  WHERE NOT EXISTS (SELECT FROM named)
    AND ((@email::text IS NOT NULL AND lower(l.email) = lower(@email) AND l.email IS NOT NULL)
      OR (l.phone IS NOT NULL
        AND regexp_replace(l.phone, '[^0-9]', '', 'g') = ANY (ARRAY(SELECT regexp_replace(n, '[^0-9]', '', 'g') FROM unnest(@phones::text[]) AS n))))
)
SELECT
  EXISTS (SELECT FROM named) AS by_id,
  l.ext_id,
  array_remove(ARRAY[CASE WHEN l.email ~ '[^[:space:]]' THEN l.email END, CASE WHEN p.email ~ '[^[:space:]]' THEN p.email END]::text[], NULL) AS emails,
  array_remove(ARRAY[CASE WHEN l.phone ~ '[0-9]' THEN l.phone END, CASE WHEN p.phone ~ '[0-9]' THEN p.phone END]::text[], NULL) AS phones
FROM (SELECT ext_id FROM named UNION SELECT ext_id FROM reached) AS found
JOIN leads l USING (ext_id)
LEFT JOIN sales_pipeline p ON p.lead_ext_id = l.ext_id
ORDER BY l.lead_id
