-- Why the lead went to whom.
SELECT to_jsonb(t)::text FROM routing_decisions t WHERE t.lead_id = ANY (@lead_ids::bigint[]) ORDER BY t.run_id
