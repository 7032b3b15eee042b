-- Period by period: what came in, what was closed, and what had been foretold for it. The forecast of a period is the first one made for it
-- before it ended; one recorded after its end was made in hindsight and does not count.
WITH period AS (
  SELECT starts_at, row_number() OVER (ORDER BY starts_at) AS n
  FROM generate_series(@trend_at::timestamptz, @from_at::timestamptz, @step::interval) AS starts_at
),
bounds AS (
  SELECT array_agg(starts_at ORDER BY starts_at) AS starts FROM period
),
incoming AS (
  SELECT width_bucket(l.created_at, b.starts) AS n, count(*) AS leads
  FROM leads l, bounds b
  WHERE l.created_at >= @trend_at AND l.created_at < @to_at
  GROUP BY 1
),
qualified AS (
  SELECT width_bucket(p.qualified_at, b.starts) AS n, count(*) AS deals
  FROM sales_pipeline p, bounds b
  WHERE p.qualified_at >= @trend_at AND p.qualified_at < @to_at
  GROUP BY 1
),
closed AS (
  SELECT
    width_bucket(p.closed_at, b.starts) AS n,
    count(*) FILTER (WHERE p.stage = 'closed_won') AS won,
    count(*) FILTER (WHERE p.stage = 'closed_lost') AS lost,
    sum(p.estimated_value) FILTER (WHERE p.stage = 'closed_won') AS value
  FROM sales_pipeline p, bounds b
  WHERE p.closed_at >= @trend_at AND p.closed_at < @to_at
  GROUP BY 1
),
foretold AS (
  SELECT DISTINCT ON (period_start) period_start, expected, low, high
  FROM report_forecasts
  WHERE report_type = @type AND recorded_at < period_end AND made_at < period_end AND period_start >= @trend_at AND period_end <= @to_at
  ORDER BY period_start, made_at
)
SELECT
  t.starts_at AS period_start,
  coalesce(i.leads, 0) AS new_leads,
  coalesce(q.deals, 0) AS qualified,
  coalesce(c.won, 0) AS won,
  coalesce(c.lost, 0) AS lost,
  c.won / nullif(c.won + c.lost, 0)::double precision AS win_rate,
  wilson_low(c.won, c.won + c.lost) AS win_rate_low,
  wilson_high(c.won, c.won + c.lost) AS win_rate_high,
  coalesce(c.value, 0) AS won_value,
  f.expected AS foretold,
  f.low AS foretold_low,
  f.high AS foretold_high
FROM period t
LEFT JOIN incoming i ON i.n = t.n
LEFT JOIN qualified q ON q.n = t.n
LEFT JOIN closed c ON c.n = t.n
LEFT JOIN foretold f ON f.period_start = t.starts_at
ORDER BY t.starts_at
