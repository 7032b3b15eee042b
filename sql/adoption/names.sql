-- The names in a schema: relations, types and indexes share one space each with their kind, functions have their own. What a new schema of
-- ours holds is read from one that was just made, not from a list that somebody has to keep.
SELECT 'relation' AS kind, c.relname::text AS name FROM pg_class c WHERE c.relnamespace = to_regnamespace(quote_ident(@schema_name::text))
UNION
SELECT 'relation', t.typname::text FROM pg_type t WHERE t.typnamespace = to_regnamespace(quote_ident(@schema_name)) AND t.typtype IN ('e', 'd')
UNION
SELECT 'function', p.proname::text FROM pg_proc p WHERE p.pronamespace = to_regnamespace(quote_ident(@schema_name))
ORDER BY 1, 2
