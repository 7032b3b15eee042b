-- Who does how: the most weighted pipeline first.
SELECT
  v.assigned_to, r.name, v.active_leads, v.won_last_30d, v.lost_last_30d, v.win_rate_pct, v.total_revenue, v.avg_days_to_close, v.overdue_tasks,
  v.avg_lead_score, v.weighted_pipeline
FROM v_sales_rep_performance v
LEFT JOIN sales_reps r ON r.email = v.assigned_to
ORDER BY v.weighted_pipeline DESC, v.assigned_to
LIMIT @limit::int
