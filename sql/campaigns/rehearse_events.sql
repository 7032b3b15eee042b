-- The events whose message is still to be dealt with; see rehearse_executions.sql.
CREATE TEMP TABLE sales_campaign_events ON COMMIT DROP AS
SELECT v.* FROM sales_campaign_events v JOIN outbox_messages m ON m.campaign_event_id = v.id WHERE v.status = 'queued'
