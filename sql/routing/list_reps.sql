-- Reps with their load now; absence: the one at the instant, else the next one. @rep null: all of them.
SELECT
  r.email, r.name, r.active, a.starts_at, a.ends_at, a.reason,
  (SELECT count(*) FROM sales_pipeline p WHERE p.assigned_to = r.email AND p.stage < 'closed_won') AS load,
  r.max_active_leads, r.min_active_leads, r.weight, r.specialisations, r.languages, r.regions, r.time_zone, r.work_days,
  to_char(r.work_start, 'HH24:MI'), to_char(r.work_end, 'HH24:MI'),
  (SELECT count(*) FROM sales_followup_tasks t
    WHERE t.assigned_to = r.email AND t.status IN ('pending', 'in_progress') AND t.due_date < @as_of) AS overdue_tasks,
  r.win_rate_pct, r.won_last_30d, r.total_closed
FROM sales_reps r
LEFT JOIN LATERAL (
  SELECT * FROM sales_rep_absences b WHERE b.rep_email = r.email AND (b.ends_at IS NULL OR b.ends_at > @as_of) ORDER BY b.starts_at LIMIT 1
) a ON true
WHERE r.email = @rep::text OR @rep::text IS NULL
ORDER BY r.active DESC, r.email
