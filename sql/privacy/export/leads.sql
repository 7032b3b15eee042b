-- The lead itself.
SELECT to_jsonb(t)::text FROM leads t WHERE t.ext_id = ANY (@leads::text[]) ORDER BY t.ext_id
