-- Rows brought their ids; new ones come after them.
SELECT
  setval(pg_get_serial_sequence('sales_pipeline', 'id'), (SELECT greatest(max(id), 1) FROM sales_pipeline), EXISTS (SELECT FROM sales_pipeline)),
  setval(pg_get_serial_sequence('sales_followup_tasks', 'id'), (SELECT greatest(max(id), 1) FROM sales_followup_tasks), EXISTS (SELECT FROM sales_followup_tasks)),
  setval(pg_get_serial_sequence('sales_campaigns', 'id'), (SELECT greatest(max(id), 1) FROM sales_campaigns), EXISTS (SELECT FROM sales_campaigns)),
  setval(pg_get_serial_sequence('sales_campaign_executions', 'id'), (SELECT greatest(max(id), 1) FROM sales_campaign_executions), EXISTS (SELECT FROM sales_campaign_executions)),
  setval(pg_get_serial_sequence('sales_campaign_events', 'id'), (SELECT greatest(max(id), 1) FROM sales_campaign_events), EXISTS (SELECT FROM sales_campaign_events)),
  setval(pg_get_serial_sequence('lead_scores', 'id'), (SELECT greatest(max(id), 1) FROM lead_scores), EXISTS (SELECT FROM lead_scores))
