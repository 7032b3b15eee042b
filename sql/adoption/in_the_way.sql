-- Objects of somebody else's under names that the new schema needs, each with the statement that moves it. Indexes and owned sequences go
-- with their tables; an index of a table that stays has no statement: it has to be renamed by hand. Functions go whatever their arguments
-- are: two of one name make calls ambiguous. What belongs to an extension stays.
WITH taken AS (
  SELECT t.kind, t.name FROM unnest(@kinds::text[], @names::text[]) AS t (kind, name)
), relations AS (
  SELECT c.oid, c.relname, c.relkind
  FROM pg_class c
  JOIN taken t ON t.kind = 'relation' AND t.name = c.relname
  WHERE c.relnamespace = to_regnamespace(quote_ident(@schema_name::text))
    AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e')
)
SELECT
  CASE c.relkind WHEN 'v' THEN 'view' WHEN 'm' THEN 'materialized view' WHEN 'S' THEN 'sequence' WHEN 'c' THEN 'type' ELSE 'table' END AS kind,
  c.relname::text AS name,
  format(
    'ALTER %s %I.%I SET SCHEMA %I',
    CASE c.relkind WHEN 'v' THEN 'VIEW' WHEN 'm' THEN 'MATERIALIZED VIEW' WHEN 'S' THEN 'SEQUENCE' WHEN 'c' THEN 'TYPE' WHEN 'f' THEN 'FOREIGN TABLE' ELSE 'TABLE' END,
    @schema_name, c.relname, @old_schema::text) AS ddl,
  c.oid::bigint AS oid
FROM relations c
WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f', 'c')
  OR (c.relkind = 'S' AND NOT EXISTS (
    SELECT FROM pg_depend d WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.refclassid = 'pg_class'::regclass AND d.deptype IN ('a', 'i')))
UNION ALL
SELECT 'index', c.relname::text, NULL, c.oid::bigint
FROM relations c
JOIN pg_index i ON i.indexrelid = c.oid
WHERE NOT EXISTS (SELECT FROM relations o WHERE o.oid = i.indrelid)
UNION ALL
SELECT 'type', y.typname::text, format('ALTER TYPE %I.%I SET SCHEMA %I', @schema_name, y.typname, @old_schema), 0
FROM pg_type y
JOIN taken t ON t.kind = 'relation' AND t.name = y.typname
WHERE y.typnamespace = to_regnamespace(quote_ident(@schema_name)) AND y.typtype IN ('e', 'd')
  AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_type'::regclass AND d.objid = y.oid AND d.deptype = 'e')
UNION ALL
SELECT
  'function', format('%s(%s)', p.proname, pg_get_function_identity_arguments(p.oid)),
  format('ALTER ROUTINE %I.%I(%s) SET SCHEMA %I', @schema_name, p.proname, pg_get_function_identity_arguments(p.oid), @old_schema), 0
FROM pg_proc p
JOIN taken t ON t.kind = 'function' AND t.name = p.proname
WHERE p.pronamespace = to_regnamespace(quote_ident(@schema_name))
  AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_proc'::regclass AND d.objid = p.oid AND d.deptype = 'e')
ORDER BY 1, 2
