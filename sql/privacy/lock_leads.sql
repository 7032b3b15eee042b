-- The person's leads and no other, for a change of their ids; nobody adds anything to them from here on.
SELECT l.ext_id FROM leads l WHERE l.ext_id = ANY (@leads::text[]) ORDER BY l.ext_id FOR UPDATE
