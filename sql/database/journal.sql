-- The migrations this schema has seen.
SELECT version, name, checksum, applied_at, duration_ms, program_version
FROM schema_migrations
ORDER BY version
