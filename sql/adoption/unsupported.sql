-- Columns that hold ids which are no numbers: they could not be kept.
SELECT format('%s.%s is of type %s', c.relname, a.attname, format_type(a.atttypid, a.atttypmod))
FROM pg_class c
JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
WHERE c.oid = ANY (@oids::bigint[]::oid[])
  AND c.relname IN ('sales_pipeline', 'sales_followup_tasks', 'sales_campaigns', 'sales_campaign_executions', 'sales_campaign_events')
  AND a.attname IN ('id', 'pipeline_id', 'campaign_id', 'execution_id')
  AND (a.atttypid IN ('uuid'::regtype, 'bytea'::regtype, 'date'::regtype) OR a.atttypid IN ('timestamp'::regtype, 'timestamptz'::regtype))
ORDER BY 1
