-- Triggers that exist and do not fire: the rules they keep are not kept.
SELECT
  'error' AS severity,
  concat(c.relname, '.', g.tgname) AS subject,
  'the trigger is disabled' AS detail,
  'el disparador está desactivado' AS detail_es,
  format('ALTER TABLE %I ENABLE TRIGGER %I', c.relname, g.tgname) AS fix
FROM pg_trigger g
JOIN pg_class c ON c.oid = g.tgrelid
WHERE c.relnamespace = to_regnamespace(quote_ident(current_schema())) AND g.tgenabled NOT IN ('O', 'A')
ORDER BY c.relname, g.tgname
