-- Who may do what with the relations that are moved, on whole relations and on columns: the same names get the same rights again.
SELECT format(
  'GRANT %s%s ON %I.%I TO %s%s', a.privilege_type, a.of_column, @schema_name::text, a.relname,
  CASE a.grantee WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(a.grantee)) END, CASE WHEN a.is_grantable THEN ' WITH GRANT OPTION' ELSE '' END)
FROM (
  SELECT c.relname, c.relowner, g.grantee, g.privilege_type, g.is_grantable, '' AS of_column
  FROM pg_class c
  CROSS JOIN LATERAL aclexplode(c.relacl) AS g
  WHERE c.oid = ANY (@oids::bigint[]::oid[])
  UNION ALL
  SELECT c.relname, c.relowner, g.grantee, g.privilege_type, g.is_grantable, format(' (%I)', t.attname)
  FROM pg_class c
  JOIN pg_attribute t ON t.attrelid = c.oid AND t.attnum > 0 AND NOT t.attisdropped
  CROSS JOIN LATERAL aclexplode(t.attacl) AS g
  WHERE c.oid = ANY (@oids::bigint[]::oid[])
) a
WHERE a.grantee <> a.relowner AND a.privilege_type <> 'TRIGGER'
ORDER BY 1
