-- Leads that share one of these e-mail addresses or telephone numbers, however they write it (0034 is +34), through the indexes on
-- both. Those of an address come first: a number that hundreds share, such as a switchboard's, must not leave them out.
SELECT ext_id
FROM (
  SELECT l.ext_id, 1 AS turn FROM leads l
  WHERE lower(l.email) = ANY (ARRAY(SELECT lower(btrim(a)) FROM unnest(@emails::text[]) AS a)) AND l.email IS NOT NULL
  UNION ALL
  SELECT l.ext_id, 2 FROM leads l
  WHERE regexp_replace(l.phone, '[^0-9]', '', 'g') = ANY (@digits::text[]) AND l.phone IS NOT NULL
) AS s
GROUP BY ext_id
ORDER BY min(turn), ext_id
LIMIT @limit
