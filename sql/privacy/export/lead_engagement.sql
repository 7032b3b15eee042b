-- What was counted of it.
SELECT to_jsonb(t)::text FROM lead_engagement t WHERE t.lead_id = ANY (@lead_ids::bigint[]) ORDER BY t.lead_id
