-- Written in the migration's own transaction: applied and journaled, or neither.
INSERT INTO schema_migrations (version, name, checksum, applied_at, duration_ms, program_version)
VALUES (@version, @name, @checksum, @applied_at, @duration_ms, @program_version)
