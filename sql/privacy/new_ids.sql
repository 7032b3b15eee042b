-- New ids for the leads, out of candidates drawn at random: the first that falls into the same arm of the timing measurement as the old id, so
-- that what the lead has counted for there stays on its side.
SELECT l.ext_id, coalesce(
  (SELECT c.id FROM unnest(@candidates::text[]) WITH ORDINALITY AS c (id, place)
   WHERE (c.place - 1) % cardinality(@leads::text[]) = l.place - 1 AND contact_arm(c.id) = contact_arm(l.ext_id) ORDER BY c.place LIMIT 1),
  (@candidates::text[])[l.place::int]) AS new_id
FROM unnest(@leads::text[]) WITH ORDINALITY AS l (ext_id, place)
