-- The sample gives its deals, campaigns and executions their numbers itself; the next ones come after them.
SELECT
  setval(pg_get_serial_sequence('sales_pipeline', 'id'), (SELECT max(id) FROM sales_pipeline)),
  setval(pg_get_serial_sequence('sales_campaigns', 'id'), (SELECT max(id) FROM sales_campaigns)),
  setval(pg_get_serial_sequence('sales_campaign_executions', 'id'), (SELECT max(id) FROM sales_campaign_executions))
