-- Columns that an old table had beyond ours, as statements: they are added to the new table and filled, without its triggers (nothing
-- happens, it is only remembered). A name that a new table has for something else goes into attributes or metadata instead. A type that
-- moved with the old tables becomes text.
WITH tables AS (
  SELECT t.name, t.key, t.bag, o.oid AS old_oid, format('%I.%I', current_schema(), t.name) AS path
  FROM (VALUES
    ('leads', 'ext_id', 'attributes'), ('sales_pipeline', 'id', 'metadata'), ('sales_followup_tasks', 'id', 'metadata'), ('sales_campaigns', 'id', NULL),
    ('sales_campaign_executions', 'id', 'metadata'), ('sales_campaign_events', 'id', 'metadata')
  ) AS t (name, key, bag)
  JOIN pg_class o ON o.relnamespace = to_regnamespace(quote_ident(@old_schema::text)) AND o.relname = t.name
),
own AS (
  SELECT
    t.*, a.attname, a.attnum,
    CASE
      WHEN y.typnamespace = to_regnamespace(quote_ident(@old_schema)) OR a.atttypid = 'json'::regtype OR e.typnamespace = to_regnamespace(quote_ident(@old_schema))
        THEN 'text' ELSE format_type(a.atttypid, a.atttypmod)
    END AS type_name,
    EXISTS (SELECT FROM pg_attribute n WHERE n.attrelid = t.path::regclass AND n.attname = a.attname) AS taken
  FROM tables t
  JOIN pg_attribute a ON a.attrelid = t.old_oid AND a.attnum > 0 AND NOT a.attisdropped
  JOIN pg_type y ON y.oid = a.atttypid
  LEFT JOIN pg_type e ON e.oid = y.typelem
  WHERE NOT EXISTS (
    SELECT FROM pg_attribute v WHERE v.attrelid = format('%I.%I', current_schema(), 'adopting_' || t.name)::regclass AND v.attnum > 4 AND v.attname = a.attname)
)
SELECT o.name AS table_name, ARRAY_AGG(o.attname::text ORDER BY o.attnum) AS columns, ARRAY_AGG(o.taken ORDER BY o.attnum) AS taken,
  ARRAY[format('ALTER TABLE %s DISABLE TRIGGER USER', o.path)]
  || coalesce(array_agg(format('ALTER TABLE %s ADD COLUMN %I %s', o.path, o.attname, o.type_name) ORDER BY o.attnum) FILTER (WHERE NOT o.taken), '{}')
  || CASE WHEN bool_or(NOT o.taken) THEN ARRAY[format(
      'UPDATE %s t SET %s FROM adoption_findings f CROSS JOIN LATERAL jsonb_to_record(f.old_row) AS r (%s) WHERE f.table_name = %L AND f.rule = %L AND t.%I = f.row_key%s',
      o.path,
      string_agg(format('%I = r.%I', o.attname, o.attname), ', ' ORDER BY o.attnum) FILTER (WHERE NOT o.taken),
      string_agg(format('%I %s', o.attname, o.type_name), ', ' ORDER BY o.attnum) FILTER (WHERE NOT o.taken),
      o.name, 'own_columns', o.key, CASE o.key WHEN 'id' THEN '::bigint' ELSE '' END)] ELSE '{}' END
  || CASE WHEN bool_or(o.taken) AND o.bag IS NOT NULL THEN ARRAY[format(
      'UPDATE %s t SET %I = coalesce(t.%I, %L) || jsonb_build_object(%L, (SELECT jsonb_object_agg(e.key, e.value) FROM jsonb_each(f.old_row) AS e WHERE e.key IN (%s))) '
        'FROM adoption_findings f WHERE f.table_name = %L AND f.rule = %L AND t.%I = f.row_key%s',
      o.path, o.bag, o.bag, '{}', 'own_columns', string_agg(quote_literal(o.attname), ', ' ORDER BY o.attnum) FILTER (WHERE o.taken),
      o.name, 'own_columns', o.key, CASE o.key WHEN 'id' THEN '::bigint' ELSE '' END)] ELSE '{}' END
  || ARRAY[format('ALTER TABLE %s ENABLE TRIGGER USER', o.path)] AS ddl
FROM own o
GROUP BY o.name, o.path, o.bag, o.key
ORDER BY o.name
