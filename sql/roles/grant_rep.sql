-- This login is that rep from now on. Answers what is true of the login: refused is why not; statement makes it a member of the rep role, null
-- where it is one.
WITH asked AS (
  SELECT @login::name AS login, lower(btrim(@rep::text)) AS rep, k.role_name
  FROM database_roles k
  WHERE k.database_name = current_database() AND k.kind = 'rep'
), judged AS (
  SELECT q.*, a.oid,
    CASE
      WHEN NOT EXISTS (SELECT FROM sales_reps r WHERE r.email = q.rep) THEN 'rep'
      WHEN a.oid IS NULL THEN 'login'
      WHEN a.rolsuper OR a.rolbypassrls THEN 'superuser'
      WHEN EXISTS (
        SELECT FROM database_roles k JOIN pg_roles g ON g.rolname = k.role_name
        WHERE k.database_name = current_database() AND k.kind <> 'rep' AND pg_has_role(a.oid, g.oid, 'MEMBER')) THEN 'other_role'
    END AS refused
  FROM asked q
  LEFT JOIN pg_roles a ON a.rolname = q.login
), saved AS (
  INSERT INTO rep_logins (login, rep_email)
  SELECT j.login, j.rep FROM judged j WHERE j.refused IS NULL
  ON CONFLICT (login) DO UPDATE SET rep_email = EXCLUDED.rep_email, granted_at = EXCLUDED.granted_at, granted_by = EXCLUDED.granted_by
  WHERE rep_logins.rep_email <> EXCLUDED.rep_email
  RETURNING login
)
SELECT j.refused, EXISTS (SELECT FROM saved) AS changed, j.role_name::text AS role_name,
  CASE WHEN j.refused IS NULL AND NOT EXISTS (
    SELECT FROM pg_auth_members m JOIN pg_roles g ON g.oid = m.roleid WHERE m.member = j.oid AND g.rolname = j.role_name)
    THEN format('GRANT %I TO %I', j.role_name, j.login) END AS statement
FROM judged j
