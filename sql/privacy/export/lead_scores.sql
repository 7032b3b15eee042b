-- Every score with its points; by block range index, a few milliseconds a month.
SELECT to_jsonb(t)::text FROM lead_scores t WHERE t.lead_id = ANY (@lead_ids::bigint[]) ORDER BY t.calculated_at, t.id
