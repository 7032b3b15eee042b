-- Statistics for the joins that follow: autovacuum cannot see a transaction's own rows.
ANALYZE leads, adoption_rows, sales_pipeline, sales_campaign_executions
