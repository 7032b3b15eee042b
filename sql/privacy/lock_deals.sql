-- The person's deals.
SELECT p.id FROM sales_pipeline p WHERE p.lead_ext_id = ANY (@leads::text[]) ORDER BY p.id FOR UPDATE
