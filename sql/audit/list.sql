-- The newest entries that fit, newest first. A lead is asked for by its ext_id, of which the trail keeps a hash. Without a time the caller asks for
-- 30 days, so that one month's partition or two are read.
SELECT a.id, a.happened_at, a.operation, a.subject, a.row_key, a.changes::text AS changes, a.personal, a.db_user, a.db_role, a.program, a.os_user, a.run
FROM audit_log a
WHERE a.happened_at >= @since_at
  AND (@lead::text IS NULL OR a.lead_hash = hashtextextended(@lead::text, 0))
  AND (@subject::text IS NULL OR a.subject = @subject::text)
  AND (@rep::text IS NULL
    OR (a.subject IN ('sales_reps', 'rep_logins', 'sales_rep_absences')
      AND (a.row_key = @rep::text OR a.changes -> 'rep_email' ? @rep::text OR a.changes -> 'email' ? @rep::text))
    OR a.changes -> 'assigned_to' ? @rep::text)
  AND (@actor::text IS NULL OR @actor::text IN (a.db_user, a.db_role, a.program, a.os_user, a.run))
ORDER BY a.happened_at DESC, a.id DESC
LIMIT @limit::bigint
