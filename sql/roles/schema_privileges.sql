-- The schema, and what the owner's future objects start with: jobs may read them (a new month's partition, a table of a later version before
-- db migrate grants the rest), and a function is nobody's until it is granted. Nobody else may create here: what anybody can put into the schema,
-- anybody's query may find.
WITH role AS (
  SELECT r.kind, r.name, a.oid FROM unnest(@kinds::text[], @role_names::text[]) AS r (kind, name) LEFT JOIN pg_roles a ON a.rolname = r.name
), schema AS (
  SELECT n.oid, n.nspname, n.nspowner, coalesce(n.nspacl, acldefault('n', n.nspowner)) AS acl FROM pg_namespace n WHERE n.nspname = current_schema()
), wanted AS (
  SELECT s.nspname, r.name, r.oid, v.privilege
  FROM schema s
  CROSS JOIN role r
  CROSS JOIN (VALUES ('USAGE'), ('CREATE')) AS v (privilege)
  WHERE v.privilege = 'USAGE' OR r.kind IN ('owner', 'reader')
), held AS (
  SELECT s.nspname, x.grantee, x.privilege_type AS privilege FROM schema s CROSS JOIN LATERAL aclexplode(s.acl) x
), defaults AS (
  SELECT o.name AS owner_name, d.object_type, d.statement, coalesce(
    (SELECT CASE d.object_type
       WHEN 'f' THEN NOT EXISTS (SELECT FROM aclexplode(a.defaclacl) x WHERE x.grantee = 0)
       ELSE (SELECT count(*) FROM aclexplode(a.defaclacl) x WHERE x.grantee = w.oid AND x.privilege_type IN ('SELECT', 'USAGE')) = d.privileges END
     FROM pg_default_acl a
     WHERE a.defaclrole = o.oid AND a.defaclobjtype = d.object_type
       AND a.defaclnamespace = CASE d.object_type WHEN 'f' THEN 0 ELSE (SELECT oid FROM schema) END), false) AS done
  FROM role o
  JOIN role w ON w.kind = 'worker'
  CROSS JOIN LATERAL (VALUES
    ('r'::"char", 1, format('ALTER DEFAULT PRIVILEGES FOR ROLE %I IN SCHEMA %I GRANT SELECT ON TABLES TO %I', o.name, current_schema(), w.name)),
    ('S', 2, format('ALTER DEFAULT PRIVILEGES FOR ROLE %I IN SCHEMA %I GRANT USAGE, SELECT ON SEQUENCES TO %I', o.name, current_schema(), w.name)),
    ('f', 0, format('ALTER DEFAULT PRIVILEGES FOR ROLE %I REVOKE EXECUTE ON FUNCTIONS FROM PUBLIC', o.name))
  ) AS d (object_type, privileges, statement)
  WHERE o.kind = 'owner'
)
SELECT 'grant_missing' AS kind, concat('schema ', w.nspname) AS subject, w.name AS role_name,
  format('GRANT %s ON SCHEMA %I TO %I', w.privilege, w.nspname, w.name) AS statement
FROM wanted w
WHERE w.oid IS NULL
  OR (NOT EXISTS (SELECT FROM held h WHERE h.grantee = w.oid AND h.privilege = w.privilege)
    AND w.oid <> (SELECT nspowner FROM schema))
UNION ALL
SELECT 'grant_too_much', concat('schema ', h.nspname), coalesce(r.name, 'PUBLIC'),
  format('REVOKE CREATE ON SCHEMA %I FROM %s', h.nspname, coalesce(quote_ident(r.name), 'PUBLIC'))
FROM held h
LEFT JOIN role r ON r.oid = h.grantee
WHERE h.privilege = 'CREATE' AND (h.grantee = 0 OR r.kind NOT IN ('owner', 'reader'))
UNION ALL
SELECT 'default_missing', concat('default privileges of ', d.owner_name), d.owner_name, d.statement
FROM defaults d
WHERE NOT d.done
