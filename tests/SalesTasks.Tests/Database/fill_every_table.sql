-- Fills every table of the schema that is still empty with rows of the plainest kind, whatever version the schema has: what a column needs
-- follows from its type, its foreign key, or the list of values that its checks allow. A table that this cannot fill fails, by name.
CREATE TEMP TABLE allowed (relation text, attribute text, expression text);
INSERT INTO allowed VALUES
  ('leads', 'ext_id', '''lead-'' || n'), ('leads', 'email', '''lead'' || n || ''@acme.example'''), ('sales_reps', 'email', '''rep'' || n || ''@sales.example'''),
  ('bot_patterns', 'pattern', '''%robot'' || n || ''%'''), ('experiments', 'horizon_days', '30'), ('experiment_assignments', 'assigned_at', 'now()'),
  ('deal_predictions', 'probability', '0.5'), ('deal_predictions', 'risk', '0.5'), ('report_forecasts', 'low', '0'), ('report_forecasts', 'high', '100'),
  ('reports', 'period_end', 'timestamptz ''2026-02-01'''), ('report_forecasts', 'period_end', 'timestamptz ''2026-02-01'''),
  ('outbox_messages', 'channel', '''slack'''), ('outbox_messages', 'purpose', '''alert'''), ('deal_predictions', 'confidence', '0.5'),
  ('ml_models', 'status', '''refused'''), ('ml_drift', 'value', '0.1'), ('report_files', 'name', '''file'' || n || ''.csv'''), ('adoption_tables', 'old_rows', '2 * n'), ('lead_scores', 'score', '40 + n'),
  ('privacy_secret', 'inner_key', 'sha256(n::text::bytea) || sha256(''key'')'), ('privacy_secret', 'outer_key', 'sha256(''other'') || sha256(n::text::bytea)'),
  ('privacy_crm_erasures', 'crm_id', 'n::text'), ('restorations', 'key_epoch', 'left(md5(n::text), 16)');

DO $fill$
DECLARE
  t record;
  columns text;
  expressions text;
  pending int := -1;
  before int;
  failure text;
BEGIN
  LOOP
    before := pending;
    pending := 0;
    failure := '';
    FOR t IN
      SELECT c.oid, c.relname FROM pg_class c
      WHERE c.relnamespace = current_schema()::regnamespace AND c.relkind IN ('r', 'p') AND NOT c.relispartition AND c.relname <> 'schema_migrations'
      ORDER BY c.oid
    LOOP
      DECLARE filled boolean;
      BEGIN
        EXECUTE format('SELECT EXISTS (SELECT FROM %I)', t.relname) INTO filled;
        CONTINUE WHEN filled;
        SELECT
          string_agg(quote_ident(a.attname), ', ' ORDER BY a.attnum),
          string_agg(coalesce(
            w.expression,
            CASE WHEN k.parent IS NOT NULL THEN format('(SELECT p.%I FROM %s p ORDER BY p.%I LIMIT 1 OFFSET (n - 1) %% (SELECT greatest(count(*), 1) FROM %s))', k.key, k.parent, k.key, k.parent) END,
            quote_literal(h.word),
            CASE
              WHEN y.typtype = 'e' THEN format('(enum_range(NULL::%s))[n]', a.atttypid::regtype)
              WHEN y.typcategory = 'A' THEN quote_literal('{}')
              WHEN y.typcategory = 'N' THEN 'n'
              WHEN y.typcategory = 'B' THEN 'true'
              WHEN y.typcategory = 'D' AND y.typname = 'time' THEN '''09:00''::time + n * interval ''1 hour'''
              WHEN y.typcategory = 'D' THEN 'timestamptz ''2026-01-01'' + n * interval ''1 day'''
              WHEN y.typcategory = 'T' THEN '''1 day''::interval'
              WHEN y.typname IN ('jsonb', 'json') THEN quote_literal('{}')
              WHEN y.typname = 'bytea' THEN 'sha256(n::text::bytea)'
              WHEN y.typname = 'uuid' THEN 'md5(n::text)::uuid'
              ELSE format('left(''value'' || n, %s)', CASE WHEN a.atttypmod > 4 THEN a.atttypmod - 4 ELSE 100 END)
            END), ', ' ORDER BY a.attnum)
        INTO columns, expressions
        FROM pg_attribute a
        JOIN pg_type y ON y.oid = a.atttypid
        LEFT JOIN allowed w ON w.relation = t.relname AND w.attribute = a.attname
        LEFT JOIN LATERAL (
          SELECT f.confrelid::regclass AS parent, (SELECT p.attname FROM pg_attribute p WHERE p.attrelid = f.confrelid AND p.attnum = f.confkey[1]) AS key
          FROM pg_constraint f
          WHERE f.conrelid = t.oid AND f.contype = 'f' AND f.conkey[1] = a.attnum
          LIMIT 1
        ) k ON true
        LEFT JOIN LATERAL (
          SELECT (regexp_match(pg_get_constraintdef(f.oid), 'ARRAY\[\(?''([^'']+)'''))[1] AS word
          FROM pg_constraint f
          WHERE f.conrelid = t.oid AND f.contype = 'c' AND f.conkey = ARRAY[a.attnum] AND y.typcategory = 'S'
          ORDER BY word NULLS LAST
          LIMIT 1
        ) h ON h.word IS NOT NULL
        WHERE a.attrelid = t.oid AND a.attnum > 0 AND NOT a.attisdropped AND a.attidentity = '' AND a.attgenerated = ''
          AND ((a.attnotnull AND NOT a.atthasdef) OR w.expression IS NOT NULL);
        IF columns IS NULL THEN
          EXECUTE format('INSERT INTO %I DEFAULT VALUES', t.relname);
        ELSE
          BEGIN
            EXECUTE format('INSERT INTO %I (%s) SELECT %s FROM generate_series(1, 2) AS n', t.relname, columns, expressions);
          EXCEPTION WHEN unique_violation THEN
            EXECUTE format('INSERT INTO %I (%s) SELECT %s FROM generate_series(1, 1) AS n', t.relname, columns, expressions);
          END;
        END IF;
      EXCEPTION WHEN OTHERS THEN
        pending := pending + 1;
        failure := failure || format(E'\n%s (%s) <- %s: %s', t.relname, columns, expressions, SQLERRM);
      END;
    END LOOP;
    EXIT WHEN pending = 0;
    IF pending = before THEN
      RAISE EXCEPTION 'tables that could not be filled: %', failure;
    END IF;
  END LOOP;
END
$fill$;
DROP TABLE allowed;
