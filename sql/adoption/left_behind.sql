-- What hangs on the moved tables and is not made anew: their triggers (the new tables have their own), indexes beyond those of keys, and row
-- policies, each as it is defined.
SELECT 'trigger_left' AS rule, format('%s.%s', c.relname, t.tgname) AS name, pg_get_triggerdef(t.oid) AS definition
FROM pg_trigger t
JOIN pg_class c ON c.oid = t.tgrelid
WHERE c.oid = ANY (@oids::bigint[]::oid[]) AND NOT t.tgisinternal
UNION ALL
SELECT 'index_left', format('%s.%s', c.relname, i.indexrelid::regclass), pg_get_indexdef(i.indexrelid)
FROM pg_index i
JOIN pg_class c ON c.oid = i.indrelid
WHERE c.oid = ANY (@oids::bigint[]::oid[]) AND NOT EXISTS (SELECT FROM pg_constraint k WHERE k.conindid = i.indexrelid)
UNION ALL
SELECT 'policy_left', format('%s.%s', c.relname, p.polname), concat_ws(' ', pg_get_expr(p.polqual, p.polrelid), pg_get_expr(p.polwithcheck, p.polrelid))
FROM pg_policy p
JOIN pg_class c ON c.oid = p.polrelid
WHERE c.oid = ANY (@oids::bigint[]::oid[])
ORDER BY 1, 2
