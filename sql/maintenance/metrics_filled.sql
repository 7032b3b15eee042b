-- Whether the daily metrics were ever computed: only then can they be refreshed while people read them.
SELECT relispopulated FROM pg_class WHERE oid = 'mv_sales_metrics'::regclass
