-- When the lead is scored again.
SELECT to_jsonb(t)::text FROM lead_score_due t WHERE t.lead_id = ANY (@lead_ids::bigint[]) ORDER BY t.id
