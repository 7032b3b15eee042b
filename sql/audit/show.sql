-- One entry, whole.
SELECT a.id, a.happened_at, a.operation, a.subject, a.row_key, a.changes::text AS changes, a.personal, a.db_user, a.db_role, a.program, a.os_user, a.run
FROM audit_log a
WHERE a.id = @id::bigint
