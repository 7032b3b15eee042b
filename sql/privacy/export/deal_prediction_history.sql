-- Every prediction.
SELECT to_jsonb(t)::text FROM deal_prediction_history t WHERE t.pipeline_id = ANY (@deals::bigint[]) ORDER BY t.predicted_at
