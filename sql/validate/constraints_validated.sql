-- Constraints added without a look at the rows that were there.
SELECT
  'error' AS severity,
  concat(c.relname, '.', n.conname) AS subject,
  'the constraint was never checked against the rows' AS detail,
  'la restricción nunca se comprobó con las filas existentes' AS detail_es,
  format('ALTER TABLE %I VALIDATE CONSTRAINT %I', c.relname, n.conname) AS fix
FROM pg_constraint n
JOIN pg_class c ON c.oid = n.conrelid
WHERE c.relnamespace = to_regnamespace(quote_ident(current_schema())) AND NOT n.convalidated
ORDER BY c.relname, n.conname
