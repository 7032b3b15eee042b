-- Indexes that a concurrent build left behind: kept up to date, used by nobody.
SELECT
  'error' AS severity,
  c.relname::text AS subject,
  'the index is invalid: no query uses it' AS detail,
  'el índice no es válido: ninguna consulta lo usa' AS detail_es,
  format('REINDEX INDEX CONCURRENTLY %I', c.relname) AS fix
FROM pg_index i
JOIN pg_class c ON c.oid = i.indexrelid
WHERE c.relnamespace = to_regnamespace(quote_ident(current_schema())) AND NOT (i.indisvalid AND i.indisready AND i.indislive)
ORDER BY c.relname
