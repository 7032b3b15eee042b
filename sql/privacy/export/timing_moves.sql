-- What was put to a learned time.
SELECT to_jsonb(t)::text FROM timing_moves t WHERE t.lead_ext_id = ANY (@leads::text[]) ORDER BY t.kind, t.id
