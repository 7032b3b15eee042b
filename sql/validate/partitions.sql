-- The score history has a partition for this month and the next, and nothing waits in the default partition: with rows there, making the
-- partition they belong in holds a lock for as long as they take to move.
SELECT
  CASE m.number WHEN 0 THEN 'error' ELSE 'warning' END AS severity,
  m.name AS subject,
  'the partition of the score history is missing' AS detail,
  'falta la partición del historial de puntuaciones' AS detail_es,
  'sales-tasks db maintain' AS fix
FROM (
  SELECT number, concat('lead_scores_', to_char((sales_now() AT TIME ZONE 'UTC') + make_interval(months => number), 'YYYYMM')) AS name
  FROM generate_series(0, 1) AS number
) m
WHERE NOT EXISTS (
  SELECT
  FROM pg_inherits i
  JOIN pg_class c ON c.oid = i.inhrelid
  WHERE i.inhparent = 'lead_scores'::regclass AND c.relname = m.name)
UNION ALL
SELECT
  'warning', 'lead_scores_default',
  'rows of the score history wait in the default partition', 'hay filas del historial de puntuaciones en la partición por defecto',
  'sales-tasks db maintain'
WHERE EXISTS (SELECT FROM lead_scores_default)
