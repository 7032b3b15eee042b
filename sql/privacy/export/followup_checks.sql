-- When the deal is looked at again.
SELECT to_jsonb(t)::text FROM followup_checks t WHERE t.pipeline_id = ANY (@deals::bigint[]) ORDER BY t.id
