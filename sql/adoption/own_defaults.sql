-- Defaults of the old tables' columns, as they are written now, as statements for the new tables.
SELECT
  c.relname::text AS table_name,
  a.attname::text AS column_name,
  format('ALTER TABLE %I.%I ALTER COLUMN %I SET DEFAULT %s', @target_schema::text, c.relname, a.attname, pg_get_expr(d.adbin, d.adrelid)) AS ddl
FROM pg_attrdef d
JOIN pg_class c ON c.oid = d.adrelid
JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = d.adnum
WHERE c.oid = ANY (@oids::bigint[]::oid[]) AND a.attgenerated = ''
ORDER BY 1, 2
