-- Foreign keys of tables that stay to tables that move. They follow to the new table; rows that refer to nothing there leave the key
-- unvalidated.
SELECT
  format('%s.%s', n.nspname, c.relname) AS table_name,
  k.conname::text AS name,
  pg_get_constraintdef(k.oid) AS definition,
  format('ALTER TABLE %I.%I DROP CONSTRAINT %I', n.nspname, c.relname, k.conname) AS drop_ddl,
  format('ALTER TABLE %I.%I ADD CONSTRAINT %I %s%s', n.nspname, c.relname, k.conname, pg_get_constraintdef(k.oid), CASE WHEN k.convalidated THEN ' NOT VALID' ELSE '' END) AS add_ddl,
  format('ALTER TABLE %I.%I VALIDATE CONSTRAINT %I', n.nspname, c.relname, k.conname) AS validate_ddl
FROM pg_constraint k
JOIN pg_class c ON c.oid = k.conrelid
JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE k.contype = 'f' AND k.confrelid = ANY (@oids::bigint[]::oid[]) AND k.conrelid <> ALL (@oids::bigint[]::oid[]) AND k.conparentid = 0
ORDER BY 1, 2
