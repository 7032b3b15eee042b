-- Logins of reps, and whether they are what reps grant made them.
SELECT l.login::text AS login, l.rep_email AS rep,
  CASE
    WHEN a.oid IS NULL THEN 'login_missing'
    WHEN r.oid IS NOT NULL AND NOT pg_has_role(a.oid, r.oid, 'MEMBER') THEN 'not_member'
    ELSE 'granted'
  END AS state
FROM rep_logins l
LEFT JOIN pg_roles a ON a.rolname = l.login
LEFT JOIN database_roles k ON k.database_name = current_database() AND k.kind = 'rep'
LEFT JOIN pg_roles r ON r.rolname = k.role_name
ORDER BY l.rep_email, l.login
