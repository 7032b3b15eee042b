-- The statements that put the old tables under the views adopting_*: each column as the type its view has, read by type where the old type
-- says what it is, else by the functions that refuse nothing; columns that are missing are null, others go into own. Without an old table a
-- view is empty, as it was made.
WITH views AS (
  SELECT c.oid, substr(c.relname, 10) AS source, o.oid AS old_oid
  FROM pg_class c
  LEFT JOIN pg_class o ON o.relnamespace = to_regnamespace(quote_ident(@old_schema::text)) AND o.relname = substr(c.relname, 10) AND o.relkind IN ('r', 'p', 'v', 'm', 'f')
  WHERE c.relnamespace = to_regnamespace(quote_ident(current_schema())) AND c.relkind = 'v' AND c.relname LIKE 'adopting\_%'
),
columns AS (
  SELECT
    v.oid, a.attname, a.attnum, format_type(a.atttypid, NULL) AS target, s.attname IS NOT NULL AS present, format('o.%I', a.attname) AS raw,
    format_type(s.atttypid, NULL) AS given
  FROM views v
  JOIN pg_attribute a ON a.attrelid = v.oid AND a.attnum > 4
  LEFT JOIN pg_attribute s ON s.attrelid = v.old_oid AND s.attname = a.attname AND s.attnum > 0 AND NOT s.attisdropped
),
readings AS (
  SELECT
    c.*,
    CASE
      WHEN NOT c.present THEN format('NULL::%s', c.target)
      WHEN c.target = 'text' THEN c.raw || '::text'
      WHEN c.target = 'numeric' AND c.given IN ('smallint', 'integer', 'bigint') THEN c.raw || '::numeric'
      WHEN c.target = 'numeric' AND c.given = 'boolean' THEN c.raw || '::int::numeric'
      WHEN c.target = 'numeric' THEN format('adoption_number(btrim(%s::text))', c.raw)
      WHEN c.target = 'timestamp with time zone' AND c.given = c.target THEN format('adoption_within(%s)', c.raw)
      WHEN c.target = 'timestamp with time zone' AND c.given IN ('timestamp without time zone', 'date')
        THEN format('adoption_within(%s::timestamp AT TIME ZONE %L)', c.raw, @time_zone::text)
      WHEN c.target = 'timestamp with time zone' THEN format('adoption_instant(btrim(%s::text), %L)', c.raw, @time_zone)
      WHEN c.target = c.given THEN c.raw
      WHEN c.target = 'jsonb' THEN format('adoption_json(nullif(btrim(%s::text), %L))', c.raw, '')
      ELSE format('adoption_flag(%s::text)', c.raw)
    END AS reading,
    c.present AND c.target <> 'text' AND c.target <> c.given AND c.given NOT IN ('smallint', 'integer', 'bigint')
      OR c.present AND c.target = 'timestamp with time zone' AS may_fail
  FROM columns c
),
others AS (
  SELECT
    v.oid, a.attname, a.attnum, a.atttypid = 'json'::regtype AS is_json,
    format(CASE WHEN a.atttypid = 'json'::regtype THEN 'o.%I::text' ELSE 'o.%I' END, a.attname) AS value,
    NOT EXISTS (SELECT FROM columns c WHERE c.oid = v.oid AND c.attname = a.attname) AS own
  FROM views v
  JOIN pg_attribute a ON a.attrelid = v.old_oid AND a.attnum > 0 AND NOT a.attisdropped
)
SELECT
  v.source,
  format(
    'CREATE OR REPLACE VIEW %I.%I AS SELECT %s AS place, %s AS own, %s AS unreadable, %s AS whole, %s %s',
    current_schema(), 'adopting_' || v.source,
    CASE WHEN v.old_oid IS NULL THEN 'NULL::bigint' ELSE 'row_number() OVER ()' END,
    coalesce(
      (
        SELECT format(
          'CASE WHEN num_nonnulls(%s) > 0 THEN to_jsonb((SELECT w FROM (SELECT %s) AS w)) END',
          string_agg(format('o.%I', o.attname), ', ' ORDER BY o.attnum), string_agg(format('%s AS %I', o.value, o.attname), ', ' ORDER BY o.attnum))
        FROM others o
        WHERE o.oid = v.oid AND o.own
        HAVING count(*) > 0
      ),
      'NULL::jsonb'),
    coalesce(
      (
        SELECT format('array_remove(ARRAY[%s]::text[], NULL)', string_agg(
          -- An instant is compared as it is: as a text it would cost more than all the rest of a score's row.
          CASE WHEN r.given LIKE 'timestamp%' OR r.given = 'date' THEN format('CASE WHEN %s IS NOT NULL AND %s IS NULL THEN %L END', r.raw, r.reading, r.attname)
            ELSE format('CASE WHEN nullif(btrim(%s::text), %L) IS NOT NULL AND %s IS NULL THEN %L END', r.raw, '', r.reading, r.attname) END,
          ', ' ORDER BY r.attnum))
        FROM readings r
        WHERE r.oid = v.oid AND r.may_fail
        HAVING count(*) > 0
      ),
      'NULL::text[]'),
    coalesce(
      (
        SELECT format('to_jsonb((SELECT w FROM (SELECT %s) AS w))', string_agg(format('%s AS %I', o.value, o.attname), ', ' ORDER BY o.attnum))
        FROM others o
        WHERE o.oid = v.oid
        HAVING count(*) > 0
      ),
      'NULL::jsonb'),
    (SELECT string_agg(format('%s AS %I', r.reading, r.attname), ', ' ORDER BY r.attnum) FROM readings r WHERE r.oid = v.oid),
    CASE WHEN v.old_oid IS NULL THEN 'WHERE false' ELSE format('FROM %I.%I AS o', @old_schema, v.source) END) AS ddl,
  ARRAY(
    SELECT r.attname::text FROM readings r
    WHERE r.oid = v.oid AND NOT r.present AND (v.source <> 'leads' OR r.attnum <= 16) AND v.old_oid IS NOT NULL
    ORDER BY r.attnum) AS missing
FROM views v
ORDER BY v.source
