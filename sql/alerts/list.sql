-- Alerts, the most severe first. Without a status those that wait for a person; 'all' shows everything.
SELECT
  a.id, a.kind, a.severity::text, a.status, a.owner, a.lead_ext_id, a.facts::text, a.opened_at, a.last_seen_at, a.seen_count, a.times_told,
  a.acknowledged_at, a.acknowledged_by, a.snoozed_until, a.acted_at, a.resolved_at, a.resolved_by, count(*) OVER () AS total
FROM alerts a
WHERE (@kind::text IS NULL OR a.kind = @kind) AND (@severity::text IS NULL OR a.severity = @severity::alert_severity)
  AND (@rep::text IS NULL OR a.owner = @rep)
  AND CASE WHEN @status::text IS NULL THEN a.status <> 'resolved' WHEN @status = 'all' THEN true ELSE a.status = @status END
ORDER BY a.severity DESC, a.kind, a.weight DESC, a.id
LIMIT @limit
