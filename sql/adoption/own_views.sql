-- Views of somebody else's (dashboards) that read what is moved, directly or through each other, the deepest last, as they are defined now.
WITH RECURSIVE readers AS (
  SELECT r.ev_class AS oid, 1 AS level
  FROM pg_depend d
  JOIN pg_rewrite r ON r.oid = d.objid
  WHERE d.classid = 'pg_rewrite'::regclass AND d.refclassid = 'pg_class'::regclass AND d.refobjid = ANY (@oids::bigint[]::oid[])
    AND r.ev_class <> d.refobjid
  UNION
  SELECT r.ev_class, o.level + 1
  FROM readers o
  JOIN pg_depend d ON d.refobjid = o.oid AND d.refclassid = 'pg_class'::regclass AND d.classid = 'pg_rewrite'::regclass
  JOIN pg_rewrite r ON r.oid = d.objid
  WHERE r.ev_class <> d.refobjid
)
SELECT
  n.nspname::text AS schema_name,
  c.relname::text AS name,
  c.relkind = 'm' AS materialized,
  btrim(pg_get_viewdef(c.oid), E' \n;') AS definition,
  format('ALTER %s %I.%I SET SCHEMA %I', CASE c.relkind WHEN 'm' THEN 'MATERIALIZED VIEW' ELSE 'VIEW' END, n.nspname, c.relname, @old_schema::text) AS move,
  format('CREATE %s %I.%I AS ', CASE c.relkind WHEN 'm' THEN 'MATERIALIZED VIEW' ELSE 'VIEW' END, n.nspname, c.relname) AS head,
  format('CREATE %s %I.%I AS ', CASE c.relkind WHEN 'm' THEN 'MATERIALIZED VIEW' ELSE 'VIEW' END, @old_schema, c.relname) AS trial_head,
  ARRAY(SELECT pg_get_indexdef(i.indexrelid) FROM pg_index i WHERE i.indrelid = c.oid ORDER BY i.indexrelid) AS indexes,
  ARRAY(
    SELECT format(
      'GRANT %s ON %I.%I TO %s%s', a.privilege_type, n.nspname, c.relname,
      CASE a.grantee WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(a.grantee)) END, CASE WHEN a.is_grantable THEN ' WITH GRANT OPTION' ELSE '' END)
    FROM aclexplode(c.relacl) AS a
    WHERE a.grantee <> c.relowner
    ORDER BY 1) AS grants
FROM (SELECT r.oid, max(r.level) AS level FROM readers r GROUP BY r.oid) v
JOIN pg_class c ON c.oid = v.oid
JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.oid <> ALL (@oids::bigint[]::oid[]) AND c.relkind IN ('v', 'm')
ORDER BY v.level, n.nspname, c.relname
