-- The daily metrics over the years taken over. Not concurrently: nobody else sees the view yet.
REFRESH MATERIALIZED VIEW mv_sales_metrics
