-- The campaigns that the person runs through.
SELECT x.id FROM sales_campaign_executions x WHERE x.lead_ext_id = ANY (@leads::text[]) ORDER BY x.id FOR UPDATE
