-- The daily metrics anew; readers go on with the old rows meanwhile.
REFRESH MATERIALIZED VIEW CONCURRENTLY mv_sales_metrics
