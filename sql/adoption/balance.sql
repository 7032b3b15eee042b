-- Rows found, taken over and set aside, counted apart from each other: the check on adoption_tables refuses a balance that does not add up,
-- and with it the whole adoption.
WITH found (table_name, old_rows, adopted) AS (
  SELECT 'leads', (SELECT count(*) FROM adopting_leads),
    (SELECT count(*) FROM leads) - (SELECT count(*) FROM adoption_findings WHERE rule = 'restored_lead')
  UNION ALL SELECT 'lead_score_history', (SELECT count(*) FROM adopting_lead_score_history), (SELECT count(*) FROM lead_scores)
  UNION ALL SELECT 'sales_pipeline', (SELECT count(*) FROM adopting_sales_pipeline), (SELECT count(*) FROM sales_pipeline)
  UNION ALL SELECT 'sales_followup_tasks', (SELECT count(*) FROM adopting_sales_followup_tasks), (SELECT count(*) FROM sales_followup_tasks)
  UNION ALL SELECT 'sales_campaigns', (SELECT count(*) FROM adopting_sales_campaigns), (SELECT count(*) FROM sales_campaigns)
  UNION ALL SELECT 'sales_campaign_executions', (SELECT count(*) FROM adopting_sales_campaign_executions), (SELECT count(*) FROM sales_campaign_executions)
  UNION ALL SELECT 'sales_campaign_events', (SELECT count(*) FROM adopting_sales_campaign_events), (SELECT count(*) FROM sales_campaign_events)
)
INSERT INTO adoption_tables (table_name, old_rows, adopted, set_aside)
SELECT f.table_name, f.old_rows, f.adopted, coalesce(s.rows, 0)
FROM found f
LEFT JOIN (SELECT table_name, count(*) AS rows FROM adoption_findings WHERE old_row IS NOT NULL AND rule <> 'own_columns' GROUP BY table_name) s
  ON s.table_name = f.table_name
