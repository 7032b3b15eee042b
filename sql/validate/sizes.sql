-- The largest tables with their indexes, and the whole schema. For information.
SELECT
  'info' AS severity,
  t.name AS subject,
  format('%s, of it indexes %s; about %s rows', pg_size_pretty(t.total), pg_size_pretty(t.indexes), to_char(t.rows, 'FM999,999,999,999')) AS detail,
  format('%s, de ellos índices %s; unas %s filas', pg_size_pretty(t.total), pg_size_pretty(t.indexes), to_char(t.rows, 'FM999,999,999,999')) AS detail_es,
  NULL::text AS fix
FROM (
  SELECT
    coalesce(pg_partition_root(c.oid)::regclass, c.oid::regclass)::text AS name,
    sum(pg_total_relation_size(c.oid)) AS total, sum(pg_indexes_size(c.oid)) AS indexes, sum(greatest(c.reltuples, 0))::bigint AS rows
  FROM pg_class c
  WHERE c.relnamespace = to_regnamespace(quote_ident(current_schema())) AND c.relkind IN ('r', 'm')
  GROUP BY 1
) t
WHERE t.total > 1024 * 1024
ORDER BY t.total DESC, t.name
LIMIT 10
