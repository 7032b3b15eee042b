-- The journal comes before the first migration and is no migration itself.
CREATE TABLE IF NOT EXISTS schema_migrations (
  version int PRIMARY KEY,
  name text NOT NULL,
  checksum text NOT NULL,
  applied_at timestamptz NOT NULL,
  duration_ms bigint NOT NULL,
  program_version text NOT NULL
)
