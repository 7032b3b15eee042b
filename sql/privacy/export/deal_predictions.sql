-- The latest prediction.
SELECT to_jsonb(t)::text FROM deal_predictions t WHERE t.pipeline_id = ANY (@deals::bigint[]) ORDER BY t.pipeline_id
