-- Campaigns that the person runs through.
SELECT to_jsonb(t)::text FROM sales_campaign_executions t WHERE t.lead_ext_id = ANY (@leads::text[]) ORDER BY t.id
