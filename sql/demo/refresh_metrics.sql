-- The daily metrics of the two years. Not concurrently: nobody reads yet.
REFRESH MATERIALIZED VIEW mv_sales_metrics
