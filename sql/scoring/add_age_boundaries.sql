-- The moments at which young leads cross the age boundaries of this version; needed when a version changes the number of days.
INSERT INTO lead_score_due (lead_id, due_at)
SELECT l.lead_id, l.created_at + make_interval(hours => 24 * (boundary.days + 1))
FROM leads l
CROSS JOIN scoring_rules r
CROSS JOIN LATERAL (VALUES (r.fresh_days), (r.recent_days)) AS boundary (days)
WHERE r.version = @version AND l.created_at + make_interval(hours => 24 * (boundary.days + 1)) > @as_of
