-- Other ids of the person; they are buried with it.
DELETE FROM lead_aliases t WHERE t.ext_id = ANY (@leads::text[])
