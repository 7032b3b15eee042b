-- What a model says of the lead.
SELECT to_jsonb(t)::text FROM lead_model_scores t WHERE t.lead_id = ANY (@lead_ids::bigint[]) ORDER BY t.lead_id
