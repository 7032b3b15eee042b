-- The daily metrics for the first time; nobody can read them before.
REFRESH MATERIALIZED VIEW mv_sales_metrics
