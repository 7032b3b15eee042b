-- Deals.
SELECT to_jsonb(t)::text FROM sales_pipeline t WHERE t.lead_ext_id = ANY (@leads::text[]) ORDER BY t.id
