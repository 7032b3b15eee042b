-- Who belongs to whom: the owner may replace the reader's views; whoever may see personal columns is an analyst; whoever owned the schema so far acts
-- as the owner (a superuser does anyway). And the reverse: no group that is granted to people may reach the owner, the reader or the worker through another.
WITH role AS (
  SELECT r.kind, r.name, a.oid FROM unnest(@kinds::text[], @role_names::text[]) AS r (kind, name) LEFT JOIN pg_roles a ON a.rolname = r.name
), wanted AS (
  SELECT g.name AS granted, m.name AS member, g.oid AS granted_oid, m.oid AS member_oid
  FROM role g
  JOIN role m ON (g.kind, m.kind) IN (('reader', 'owner'), ('analyst', 'analyst_pii'))
  UNION ALL
  SELECT g.name, me.rolname, g.oid, me.oid
  FROM role g
  JOIN pg_roles me ON me.rolname = current_user AND NOT me.rolsuper
  JOIN pg_class journal ON journal.oid = to_regclass('schema_migrations')
  WHERE g.kind = 'owner' AND pg_get_userbyid(journal.relowner) <> g.name AND pg_has_role(journal.relowner, 'USAGE')
)
SELECT 'membership_missing' AS kind, w.granted AS subject, w.member AS role_name, format('GRANT %I TO %I', w.granted, w.member) AS statement
FROM wanted w
WHERE w.granted_oid IS NULL OR w.member_oid IS NULL
  OR CASE WHEN w.granted_oid IS NOT NULL AND w.member_oid IS NOT NULL THEN NOT pg_has_role(w.member_oid, w.granted_oid, 'USAGE') END
UNION ALL
SELECT 'membership_too_much', g.name, m.name, format('REVOKE %I FROM %I', g.name, m.name)
FROM pg_auth_members held
JOIN role g ON g.oid = held.roleid
JOIN role m ON m.oid = held.member
WHERE (g.kind, m.kind) NOT IN (('reader', 'owner'), ('analyst', 'analyst_pii'))
ORDER BY kind, subject, role_name
