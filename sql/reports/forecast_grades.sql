-- How past forecasts did: for each period that is over, the first forecast made for it before it ended, and what was won. One recorded after
-- its period ended was made in hindsight and is not graded.
SELECT f.period_start, f.made_at, f.expected, f.low, f.high, w.value AS won_value, w.value BETWEEN f.low AND f.high AS inside
FROM (
  SELECT DISTINCT ON (period_start) *
  FROM report_forecasts
  WHERE report_type = @type AND recorded_at < period_end AND made_at < period_end AND period_end <= @to_at
  ORDER BY period_start, made_at
) AS f
CROSS JOIN LATERAL (
  SELECT coalesce(sum(p.estimated_value), 0) AS value
  FROM sales_pipeline p
  WHERE p.stage = 'closed_won' AND p.closed_at >= f.period_start AND p.closed_at < f.period_end
) AS w
ORDER BY f.period_start
