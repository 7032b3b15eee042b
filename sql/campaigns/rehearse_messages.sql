-- The messages of the copied executions; see rehearse_executions.sql.
CREATE TEMP TABLE outbox_messages ON COMMIT DROP AS
SELECT m.* FROM outbox_messages m JOIN sales_campaign_executions e ON e.id = m.execution_id
