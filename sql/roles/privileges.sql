-- Grants on tables, columns, sequences and functions that the matrix wants and the catalogue lacks, and those that it has and the matrix does not
-- want, of the group roles and of PUBLIC. What other roles were granted is their granter's business.
WITH role AS (
  SELECT r.kind, r.name, a.oid FROM unnest(@kinds::text[], @role_names::text[]) AS r (kind, name) LEFT JOIN pg_roles a ON a.rolname = r.name
), matrix AS (
  SELECT m.*
  FROM unnest(@objects::text[], @workers::text[], @analysts::text[], @reps::text[], @personal::text[], @rep_updates::text[])
    AS m (object, worker, analyst, rep, personal, rep_updates)
), relation AS (
  SELECT c.oid, c.oid::regclass::text AS subject, c.relkind, c.relacl, i.inhrelid IS NOT NULL AS is_partition, m.*
  FROM pg_class c
  LEFT JOIN pg_inherits i ON i.inhrelid = c.oid
  LEFT JOIN pg_class parent ON parent.oid = i.inhparent
  JOIN matrix m ON m.object = coalesce(parent.relname, c.relname)
  WHERE c.relnamespace = to_regnamespace(quote_ident(current_schema())) AND c.relkind IN ('r', 'p', 'v', 'm')
), sequence AS (
  SELECT c.oid, c.oid::regclass::text AS subject, c.relacl
  FROM pg_class c
  JOIN pg_depend d ON d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.refclassid = 'pg_class'::regclass AND d.deptype IN ('a', 'i')
  JOIN relation t ON t.oid = d.refobjid
  WHERE c.relkind = 'S'
), verb (letter, privilege) AS (
  VALUES ('S', 'SELECT'), ('I', 'INSERT'), ('U', 'UPDATE'), ('D', 'DELETE')
), verbs AS (
  SELECT r.oid, r.subject, v.kind, v.verbs, r.personal, r.rep_updates, r.is_partition
  FROM relation r
  CROSS JOIN LATERAL (VALUES
    ('worker', CASE WHEN r.is_partition THEN 'S' ELSE r.worker END),
    ('reader', CASE WHEN r.is_partition OR r.relkind = 'v' OR r.worker NOT LIKE 'S%' THEN '-' ELSE 'S' END),
    ('analyst', CASE WHEN r.is_partition OR r.personal <> '' THEN '-' ELSE r.analyst END),
    ('analyst_pii', CASE WHEN r.personal = '' THEN '-' ELSE r.analyst END),
    ('rep', CASE WHEN r.is_partition THEN '-' ELSE r.rep END)
  ) AS v (kind, verbs)
), wanted AS (
  -- On whole tables and sequences
  SELECT v.oid, 'TABLE' AS what, v.subject, NULL::name AS column_name, v.kind, l.privilege
  FROM verbs v
  JOIN verb l ON position(l.letter IN v.verbs) > 0
  UNION ALL
  SELECT s.oid, 'SEQUENCE', s.subject, NULL, 'worker', p.privilege
  FROM sequence s
  CROSS JOIN (VALUES ('USAGE'), ('SELECT')) AS p (privilege)
  UNION ALL
  -- On columns
  SELECT r.oid, 'TABLE', r.subject, a.attname, 'analyst', 'SELECT'
  FROM relation r
  JOIN pg_attribute a ON a.attrelid = r.oid AND a.attnum > 0 AND NOT a.attisdropped
  WHERE r.analyst = 'S' AND r.personal <> '' AND a.attname <> ALL (string_to_array(r.personal, ','))
  UNION ALL
  SELECT r.oid, 'TABLE', r.subject, u.column_name::name, 'rep', 'UPDATE'
  FROM relation r
  CROSS JOIN LATERAL unnest(string_to_array(r.rep_updates, ',')) AS u (column_name)
  WHERE NOT r.is_partition
  UNION ALL
  -- On functions
  SELECT p.oid, 'FUNCTION', p.oid::regprocedure::text, NULL, k.kind, 'EXECUTE'
  FROM pg_proc p
  JOIN matrix m ON m.object = p.proname
  CROSS JOIN LATERAL (VALUES
    ('worker', m.worker LIKE 'X%'), ('PUBLIC', m.worker LIKE '%P'), ('analyst', m.analyst = 'X'), ('analyst_pii', m.personal = 'X'), ('rep', m.rep = 'X')
  ) AS k (kind, wanted)
  WHERE p.pronamespace = to_regnamespace(quote_ident(current_schema())) AND k.wanted
), held AS (
  SELECT r.oid, 'TABLE' AS what, r.subject, NULL::name AS column_name, x.grantee, x.privilege_type AS privilege
  FROM relation r CROSS JOIN LATERAL aclexplode(r.relacl) x
  UNION ALL
  SELECT s.oid, 'SEQUENCE', s.subject, NULL, x.grantee, x.privilege_type
  FROM sequence s CROSS JOIN LATERAL aclexplode(s.relacl) x
  UNION ALL
  SELECT r.oid, 'TABLE', r.subject, a.attname, x.grantee, x.privilege_type
  FROM relation r
  JOIN pg_attribute a ON a.attrelid = r.oid AND a.attnum > 0 AND NOT a.attisdropped AND a.attacl IS NOT NULL
  CROSS JOIN LATERAL aclexplode(a.attacl) x
  UNION ALL
  SELECT p.oid, 'FUNCTION', p.oid::regprocedure::text, NULL, x.grantee, x.privilege_type
  FROM pg_proc p
  JOIN matrix m ON m.object = p.proname
  CROSS JOIN LATERAL aclexplode(coalesce(p.proacl, acldefault('f', p.proowner))) x
  WHERE p.pronamespace = to_regnamespace(quote_ident(current_schema()))
), grantee AS (
  SELECT kind, name, quote_ident(name) AS quoted, oid FROM role WHERE kind <> 'owner'
  UNION ALL
  SELECT 'PUBLIC', 'PUBLIC', 'PUBLIC', 0
), difference AS (
  SELECT 'grant_missing' AS kind, w.what, w.subject, w.column_name, g.name, g.quoted, w.privilege
  FROM wanted w
  JOIN grantee g ON g.kind = w.kind
  WHERE NOT EXISTS (
    SELECT FROM held h
    WHERE h.oid = w.oid AND h.what = w.what AND h.grantee = g.oid AND h.privilege = w.privilege AND h.column_name IS NOT DISTINCT FROM w.column_name)
  UNION ALL
  SELECT 'grant_too_much', h.what, h.subject, h.column_name, g.name, g.quoted, h.privilege
  FROM held h
  JOIN grantee g ON g.oid = h.grantee
  -- A view's owner holds what an owner holds.
  WHERE NOT (g.kind = 'reader' AND EXISTS (SELECT FROM relation r WHERE r.oid = h.oid AND h.what = 'TABLE' AND r.relkind = 'v')) AND NOT EXISTS (
    SELECT FROM wanted w
    WHERE w.oid = h.oid AND w.what = h.what AND w.kind = g.kind AND w.privilege = h.privilege AND w.column_name IS NOT DISTINCT FROM h.column_name)
)
SELECT
  d.kind, d.subject, d.name AS role_name,
  format(
    CASE d.kind WHEN 'grant_missing' THEN 'GRANT %s ON %s%s TO %s' ELSE 'REVOKE %s ON %s%s FROM %s' END,
    string_agg(d.privilege || coalesce(' (' || d.columns || ')', ''), ', ' ORDER BY d.privilege),
    CASE d.what WHEN 'TABLE' THEN '' ELSE concat(d.what, ' ') END, d.subject, d.quoted) AS statement
FROM (
  SELECT kind, what, subject, name, quoted, privilege, string_agg(quote_ident(column_name), ', ' ORDER BY column_name) AS columns
  FROM difference
  GROUP BY kind, what, subject, name, quoted, privilege, column_name IS NULL
) d
GROUP BY d.kind, d.what, d.subject, d.name, d.quoted
-- A grant on a table, taken back, takes the same of its columns with it: so first what is too much.
ORDER BY d.kind DESC, d.what, d.subject, d.name
