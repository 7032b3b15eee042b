-- Statements that make a schema in which the new tables look as the old ones did: the same columns in the same order and types. A view that
-- compares a stage with a text compiles there and not on the new table, and reads the new table all the same.
SELECT format(
  'CREATE VIEW %I.%I AS SELECT %s FROM %I.%I AS n', @compatible_schema::text, o.relname,
  string_agg(
    CASE
      WHEN n.attname IS NULL THEN format('NULL::%s AS %I', t.type_name, a.attname)
      WHEN a.atttypid = n.atttypid THEN format('n.%I', a.attname)
      WHEN a.atttypid = 'timestamp'::regtype AND n.atttypid = 'timestamptz'::regtype THEN format('n.%I AT TIME ZONE %L AS %I', a.attname, @time_zone::text, a.attname)
      ELSE format('n.%I::%s AS %I', a.attname, t.type_name, a.attname)
    END,
    ', ' ORDER BY a.attnum),
  current_schema(), o.relname) AS ddl
FROM pg_class o
JOIN pg_class c ON c.relnamespace = to_regnamespace(quote_ident(current_schema())) AND c.relname = o.relname AND c.relkind IN ('r', 'p', 'v', 'm')
JOIN pg_attribute a ON a.attrelid = o.oid AND a.attnum > 0 AND NOT a.attisdropped
JOIN pg_type y ON y.oid = a.atttypid
CROSS JOIN LATERAL (
  SELECT CASE WHEN y.typnamespace = to_regnamespace(quote_ident(@old_schema::text)) THEN 'text' ELSE format_type(a.atttypid, a.atttypmod) END AS type_name
) AS t
LEFT JOIN pg_attribute n ON n.attrelid = c.oid AND n.attname = a.attname AND NOT n.attisdropped
WHERE o.oid = ANY (@oids::bigint[]::oid[]) AND o.relkind IN ('r', 'p', 'v', 'm', 'f')
GROUP BY o.relname
ORDER BY o.relname
