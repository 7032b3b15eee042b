-- What campaigns did.
SELECT to_jsonb(t)::text FROM sales_campaign_events t WHERE t.lead_ext_id = ANY (@leads::text[]) ORDER BY t.id
