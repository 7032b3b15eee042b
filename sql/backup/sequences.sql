-- Where each sequence stands; 0 where it was never used. Sequences are outside of snapshots, so it is read before and after the dump.
SELECT sequencename::text AS name, coalesce(last_value, 0) AS value
FROM pg_sequences
WHERE schemaname = current_schema()
ORDER BY sequencename
