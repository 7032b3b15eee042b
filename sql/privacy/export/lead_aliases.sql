-- Other ids of the person.
SELECT to_jsonb(t)::text FROM lead_aliases t WHERE t.ext_id = ANY (@leads::text[]) ORDER BY t.alias_ext_id
