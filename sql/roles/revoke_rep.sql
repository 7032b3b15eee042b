-- The rep's logins (or the one given) are hers no more; with the statements that take the role from those that have it.
WITH gone AS (
  DELETE FROM rep_logins l
  WHERE l.rep_email = lower(btrim(@rep::text)) AND (@login::text IS NULL OR l.login = @login::text::name)
  RETURNING l.login
)
SELECT g.login::text AS login, k.role_name::text AS role_name,
  CASE WHEN EXISTS (SELECT FROM pg_auth_members m JOIN pg_roles r ON r.oid = m.roleid JOIN pg_roles a ON a.oid = m.member
    WHERE r.rolname = k.role_name AND a.rolname = g.login) THEN format('REVOKE %I FROM %I', k.role_name, g.login) END AS statement
FROM gone g
LEFT JOIN database_roles k ON k.database_name = current_database() AND k.kind = 'rep'
ORDER BY g.login
