-- Tables under the contract's names in a schema without a journal: somebody else's.
SELECT c.relname::text
FROM pg_class c
WHERE c.relnamespace = to_regnamespace(quote_ident(@schema_name::text)) AND c.relkind IN ('r', 'p', 'v', 'm', 'f')
  AND c.relname IN (
    'leads', 'lead_score_history', 'sales_pipeline', 'sales_followup_tasks', 'sales_campaigns', 'sales_campaign_executions', 'sales_campaign_events')
ORDER BY 1
