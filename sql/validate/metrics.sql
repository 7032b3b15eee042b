-- The daily metrics reach yesterday, where there has been something to tell for two days.
SELECT
  'warning' AS severity,
  'mv_sales_metrics' AS subject,
  format('the daily metrics end on %s', coalesce(m.last_date::text, 'no day')) AS detail,
  format('las métricas diarias terminan el %s', coalesce(m.last_date::text, 'ningún día')) AS detail_es,
  'sales-tasks db maintain' AS fix
FROM (SELECT max(date) AS last_date FROM mv_sales_metrics) m
WHERE EXISTS (SELECT FROM sales_pipeline p WHERE p.qualified_at < sales_now() - interval '2 days')
  AND coalesce(m.last_date < (sales_now() AT TIME ZONE 'UTC')::date - 1, true)
