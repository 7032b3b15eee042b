-- The lasting numbers of leads, which their sealed values are bound to.
SELECT ext_id, lead_id FROM leads WHERE ext_id = ANY (@leads::text[])
