-- Tables whose rows are dumped, partitions one by one; the largest first. What is unlogged is lost in every crash and not worth keeping.
SELECT c.relname::text AS name
FROM pg_class c
WHERE c.relnamespace = to_regnamespace(quote_ident(current_schema())) AND c.relkind = 'r' AND c.relpersistence = 'p'
ORDER BY c.relpages DESC, c.relname
