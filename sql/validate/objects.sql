-- Tables, views, indexes, functions, types and triggers that the migrations made and that are gone, or are of another kind.
WITH present AS (
  SELECT
    CASE c.relkind WHEN 'r' THEN 'table' WHEN 'p' THEN 'table' WHEN 'v' THEN 'view' WHEN 'm' THEN 'materialized view' ELSE 'index' END AS kind,
    c.relname::text AS name, '' AS on_table
  FROM pg_class c
  WHERE c.relnamespace = to_regnamespace(quote_ident(current_schema())) AND c.relkind IN ('r', 'p', 'v', 'm', 'i', 'I')
  UNION ALL
  SELECT 'function', p.proname::text, '' FROM pg_proc p WHERE p.pronamespace = to_regnamespace(quote_ident(current_schema()))
  UNION ALL
  SELECT 'type', t.typname::text, '' FROM pg_type t WHERE t.typnamespace = to_regnamespace(quote_ident(current_schema())) AND t.typtype = 'e'
  UNION ALL
  SELECT 'trigger', g.tgname::text, c.relname::text
  FROM pg_trigger g
  JOIN pg_class c ON c.oid = g.tgrelid
  WHERE c.relnamespace = to_regnamespace(quote_ident(current_schema())) AND NOT g.tgisinternal
)
SELECT
  'error' AS severity,
  CASE e.on_table WHEN '' THEN e.name ELSE concat(e.on_table, '.', e.name) END AS subject,
  concat('the ', e.kind, ' is missing') AS detail,
  concat('falta ', CASE e.kind
    WHEN 'table' THEN 'la tabla' WHEN 'view' THEN 'la vista' WHEN 'materialized view' THEN 'la vista materializada' WHEN 'index' THEN 'el índice'
    WHEN 'function' THEN 'la función' WHEN 'type' THEN 'el tipo' ELSE 'el disparador' END) AS detail_es,
  e.fix AS fix
FROM unnest(@kinds::text[], @names::text[], @on_tables::text[], @fixes::text[]) AS e (kind, name, on_table, fix)
WHERE NOT EXISTS (SELECT FROM present p WHERE p.kind = e.kind AND p.name = e.name AND p.on_table = e.on_table)
ORDER BY e.kind, e.name
