-- Trigger functions that write what follows from a rep's change run with the owner's rights; their search_path is their own. A later migration that
-- replaces one takes that away, and is followed by this.
WITH role AS (
  SELECT r.kind, r.name FROM unnest(@kinds::text[], @role_names::text[]) AS r (kind, name)
)
SELECT 'rights_wrong' AS kind, p.oid::regprocedure::text AS subject, o.name AS role_name,
  format('ALTER FUNCTION %s SECURITY %s', p.oid::regprocedure, CASE m.worker WHEN 'O' THEN 'DEFINER' ELSE 'INVOKER' END) AS statement
FROM pg_proc p
JOIN unnest(@objects::text[], @workers::text[]) AS m (object, worker) ON m.object = p.proname
JOIN role o ON o.kind = 'owner'
WHERE p.pronamespace = to_regnamespace(quote_ident(current_schema())) AND m.worker IN ('O', 'T') AND p.prosecdef <> (m.worker = 'O')
ORDER BY subject
