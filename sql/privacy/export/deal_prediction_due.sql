-- When the deal is predicted anew.
SELECT to_jsonb(t)::text FROM deal_prediction_due t WHERE t.pipeline_id = ANY (@deals::bigint[]) ORDER BY t.id
