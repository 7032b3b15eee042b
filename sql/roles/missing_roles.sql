-- The group roles themselves. Roles belong to the whole cluster, so the comment says whose they are: one of another database, or one that was
-- there for something else, is not taken over.
SELECT
  CASE
    WHEN a.oid IS NULL THEN 'role_missing'
    WHEN NOT r.recorded AND note.text IS DISTINCT FROM ours.text THEN 'role_foreign'
    ELSE 'role_may_log_in'
  END AS kind,
  r.kind AS subject,
  r.name AS role_name,
  CASE
    WHEN a.oid IS NULL THEN format('CREATE ROLE %I NOLOGIN; COMMENT ON ROLE %I IS %L', r.name, r.name, ours.text)
    WHEN NOT r.recorded AND note.text IS DISTINCT FROM ours.text THEN format('COMMENT ON ROLE %I IS %L', r.name, ours.text)
    ELSE format('ALTER ROLE %I NOLOGIN', r.name)
  END AS statement
FROM (
  SELECT given.position, given.kind, given.name,
    EXISTS (SELECT FROM database_roles k WHERE k.database_name = current_database() AND k.kind = given.kind AND k.role_name = given.name) AS recorded
  FROM unnest(@kinds::text[], @role_names::text[]) WITH ORDINALITY AS given (kind, name, position)
) r
CROSS JOIN LATERAL (SELECT format('SalesTasks: %s of database %s, schema %s', r.kind, current_database(), current_schema()) AS text) ours
LEFT JOIN pg_roles a ON a.rolname = r.name
CROSS JOIN LATERAL (SELECT shobj_description(a.oid, 'pg_authid') AS text) note
WHERE a.oid IS NULL OR (NOT r.recorded AND note.text IS DISTINCT FROM ours.text) OR a.rolcanlogin
ORDER BY r.position
