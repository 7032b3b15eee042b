-- The tasks that steps of the copied executions have made; see rehearse_executions.sql.
CREATE TEMP TABLE sales_followup_tasks ON COMMIT DROP AS
SELECT t.*
FROM sales_followup_tasks t
WHERE t.metadata ? 'execution_id' AND t.pipeline_id IN (SELECT e.pipeline_id FROM sales_campaign_executions e)
