-- By rep: deals closed in the period, deals open at its end, tasks due in it and overdue at its end. Deals and tasks are those of who has
-- them now; a task without an assignee is its deal's owner's. Deals of nobody come last, without a name.
WITH deals AS (
  SELECT
    p.assigned_to::text AS rep,
    count(*) FILTER (WHERE p.closed_at IS NULL OR p.closed_at >= @to_at) AS open_at_end,
    sum(p.estimated_value * p.probability_pct / 100) FILTER (WHERE p.closed_at IS NULL OR p.closed_at >= @to_at) AS weighted,
    count(*) FILTER (WHERE p.stage = 'closed_won' AND p.closed_at < @to_at) AS won,
    count(*) FILTER (WHERE p.stage = 'closed_lost' AND p.closed_at < @to_at) AS lost,
    sum(p.estimated_value) FILTER (WHERE p.stage = 'closed_won' AND p.closed_at < @to_at) AS won_value,
    percentile_cont(0.5) WITHIN GROUP (ORDER BY extract(epoch FROM p.closed_at - p.qualified_at) / 86400)
      FILTER (WHERE p.stage = 'closed_won' AND p.closed_at < @to_at) AS days_to_win
  FROM sales_pipeline p
  WHERE p.qualified_at < @to_at AND (p.closed_at IS NULL OR p.closed_at >= @from_at)
  GROUP BY p.assigned_to
),
tasks AS (
  SELECT
    coalesce(f.assigned_to, p.assigned_to)::text AS rep,
    count(*) FILTER (WHERE f.due_date >= @from_at) AS due,
    count(*) FILTER (WHERE f.due_date >= @from_at AND f.completed_at <= f.due_date) AS on_time,
    count(*) FILTER (WHERE f.completed_at IS NULL OR f.completed_at >= @to_at) AS overdue
  FROM sales_followup_tasks f
  JOIN sales_pipeline p ON p.id = f.pipeline_id
  WHERE f.due_date < @to_at AND f.status NOT IN ('skipped', 'cancelled')
    AND (f.due_date >= @from_at OR f.completed_at IS NULL OR f.completed_at >= @to_at)
  GROUP BY 1
),
everybody AS (
  SELECT rep FROM deals UNION SELECT rep FROM tasks
)
SELECT
  coalesce(r.name, e.rep) AS rep,
  e.rep AS assigned_to,
  coalesce(d.won, 0) AS won,
  coalesce(d.lost, 0) AS lost,
  d.won / nullif(d.won + d.lost, 0)::double precision AS win_rate,
  wilson_low(d.won, d.won + d.lost) AS win_rate_low,
  wilson_high(d.won, d.won + d.lost) AS win_rate_high,
  coalesce(d.won_value, 0) AS won_value,
  d.days_to_win AS median_days_to_win,
  coalesce(d.open_at_end, 0) AS open_deals,
  coalesce(round(d.weighted, 2), 0) AS weighted_pipeline,
  coalesce(t.due, 0) AS tasks_due,
  t.on_time / nullif(t.due, 0)::double precision AS tasks_on_time,
  wilson_low(t.on_time, t.due) AS tasks_on_time_low,
  wilson_high(t.on_time, t.due) AS tasks_on_time_high,
  coalesce(t.overdue, 0) AS overdue_tasks
FROM everybody e
LEFT JOIN deals d ON d.rep IS NOT DISTINCT FROM e.rep
LEFT JOIN tasks t ON t.rep IS NOT DISTINCT FROM e.rep
LEFT JOIN sales_reps r ON r.email = e.rep
ORDER BY e.rep IS NULL, d.won_value DESC NULLS LAST, d.weighted DESC NULLS LAST, e.rep
