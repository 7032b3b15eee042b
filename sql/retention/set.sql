-- A new period for a subject.
INSERT INTO retention_rules (subject, keep_days, updated_by)
VALUES (@subject, @keep_days::int, @actor)
ON CONFLICT (subject) DO UPDATE
SET keep_days = excluded.keep_days, updated_at = excluded.updated_at, updated_by = excluded.updated_by
WHERE retention_rules.keep_days <> excluded.keep_days
