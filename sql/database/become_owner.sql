-- Where db roles apply gave the schema to an owner role, a migration acts as that role: what it makes is its own. Ends with the transaction.
SELECT set_config('role', a.rolname, true)
FROM pg_class c
JOIN pg_roles a ON a.oid = c.relowner
WHERE c.oid = to_regclass('schema_migrations') AND a.rolname <> current_user AND pg_has_role(a.oid, 'MEMBER')
  AND shobj_description(a.oid, 'pg_authid') LIKE 'SalesTasks: owner of %'
