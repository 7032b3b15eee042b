-- Tables whose statistics the planner should not trust: a tenth and a thousand rows changed since the last look, or never looked at. Autovacuum does
-- the same later and never for a partitioned table as a whole: that one follows its partitions. Those of the schema's owner.
SELECT DISTINCT coalesce(pg_partition_root(s.relid)::regclass::text, s.relid::regclass::text) AS name
FROM pg_stat_user_tables s
JOIN pg_class c ON c.oid = s.relid
WHERE c.relnamespace = to_regnamespace(quote_ident(current_schema())) AND c.relkind = 'r' AND c.relowner = (SELECT relowner FROM pg_class WHERE oid = 'schema_migrations'::regclass)
  AND (s.n_mod_since_analyze > 1000 + 0.1 * s.n_live_tup
    OR (s.last_analyze IS NULL AND s.last_autoanalyze IS NULL AND s.n_live_tup > 0))
ORDER BY name
