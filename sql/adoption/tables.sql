-- Rows by table, in the order they refer to each other.
SELECT table_name::text, old_rows, adopted, set_aside
FROM adoption_tables
ORDER BY array_position(ARRAY['leads', 'lead_score_history', 'sales_pipeline', 'sales_followup_tasks', 'sales_campaigns', 'sales_campaign_executions', 'sales_campaign_events'], table_name::text)
