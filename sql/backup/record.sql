-- A backup that has its name.
INSERT INTO backups (name, taken_at, bytes, tables, rows)
VALUES (@name, @taken_at, @bytes, @tables::int, @rows)
ON CONFLICT (name) DO NOTHING
