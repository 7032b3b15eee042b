-- The indicators of a team: now, or over the last 30 days, and over the 30 days before. Shares are in percent; null where there is nothing to divide by.
WITH period AS (
  SELECT n AS number, sales_now() - (n + 1) * interval '30 days' AS since, sales_now() - n * interval '30 days' AS until FROM generate_series(0, 1) AS n
), closed AS (
  SELECT
    e.number,
    100.0 * count(*) FILTER (WHERE p.stage = 'closed_won') / nullif(count(p.id), 0) AS win_rate,
    avg(extract(epoch FROM p.closed_at - p.qualified_at)) FILTER (WHERE p.stage = 'closed_won') / 86400 AS days_to_close,
    coalesce(sum(p.estimated_value) FILTER (WHERE p.stage = 'closed_won'), 0) AS revenue
  FROM period e
  LEFT JOIN sales_pipeline p ON p.closed_at >= e.since AND p.closed_at < e.until
  GROUP BY e.number
), answered AS (
  SELECT e.number, percentile_cont(0.5) WITHIN GROUP (ORDER BY extract(epoch FROM p.first_contact_at - p.qualified_at) / 3600) AS hours
  FROM period e
  JOIN sales_pipeline p ON p.qualified_at >= e.since AND p.qualified_at < e.until AND p.first_contact_at >= p.qualified_at
  GROUP BY e.number
), due AS (
  SELECT e.number, 100.0 * count(*) FILTER (WHERE t.completed_at <= t.due_date) / nullif(count(t.id), 0) AS on_time
  FROM period e
  LEFT JOIN sales_followup_tasks t ON t.due_date >= e.since AND t.due_date < e.until AND t.status NOT IN ('skipped', 'cancelled')
  GROUP BY e.number
), open AS (
  SELECT count(*) AS deals, coalesce(sum(estimated_value), 0) AS value, coalesce(sum(estimated_value * probability_pct / 100), 0) AS weighted
  FROM sales_pipeline
  WHERE stage < 'closed_won'
), reached AS (
  SELECT
    100.0 * max(reached_leads) FILTER (WHERE stage = 'closed_won') / nullif(max(reached_leads) FILTER (WHERE stage = 'qualified'), 0) AS share
  FROM v_conversion_funnel
)
SELECT i.name, round(i.value::numeric, 2) AS value, round(i.before::numeric, 2) AS before
FROM (
  SELECT 1 AS place, 'open_deals' AS name, deals::numeric AS value, NULL::numeric AS before FROM open
  UNION ALL SELECT 2, 'pipeline_value', value, NULL FROM open
  UNION ALL SELECT 3, 'weighted_pipeline', weighted, NULL FROM open
  UNION ALL SELECT 4, 'conversion_rate_pct', share, NULL FROM reached
  UNION ALL SELECT 5, 'win_rate_pct', max(win_rate) FILTER (WHERE number = 0), max(win_rate) FILTER (WHERE number = 1) FROM closed
  UNION ALL SELECT 6, 'revenue', max(revenue) FILTER (WHERE number = 0), max(revenue) FILTER (WHERE number = 1) FROM closed
  UNION ALL SELECT 7, 'days_to_close', max(days_to_close) FILTER (WHERE number = 0), max(days_to_close) FILTER (WHERE number = 1) FROM closed
  UNION ALL SELECT 8, 'hours_to_first_contact', max(hours) FILTER (WHERE number = 0), max(hours) FILTER (WHERE number = 1) FROM answered
  UNION ALL SELECT 9, 'tasks_on_time_pct', max(on_time) FILTER (WHERE number = 0), max(on_time) FILTER (WHERE number = 1) FROM due
) i
ORDER BY i.place
