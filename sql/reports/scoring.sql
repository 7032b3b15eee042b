-- Period by period: scores calculated (only what changed is), how many rose and fell, their average, and the share of high priority.
WITH period AS (
  SELECT starts_at, row_number() OVER (ORDER BY starts_at) AS n
  FROM generate_series(@trend_at::timestamptz, @from_at::timestamptz, @step::interval) AS starts_at
),
bounds AS (
  SELECT array_agg(starts_at ORDER BY starts_at) AS starts FROM period
),
scored AS (
  SELECT
    width_bucket(s.calculated_at, b.starts) AS n,
    count(*) AS calculated,
    count(*) FILTER (WHERE s.previous_score IS NULL) AS first_time,
    count(*) FILTER (WHERE s.score > s.previous_score) AS raised,
    count(*) FILTER (WHERE s.score < s.previous_score) AS lowered,
    avg(s.score)::double precision AS average_score,
    count(*) FILTER (WHERE s.priority >= 'high') AS high
  FROM lead_scores s, bounds b
  WHERE s.calculated_at >= @trend_at AND s.calculated_at < @to_at
  GROUP BY 1
)
SELECT
  t.starts_at AS period_start,
  coalesce(s.calculated, 0) AS calculated,
  coalesce(s.first_time, 0) AS first_time,
  coalesce(s.raised, 0) AS raised,
  coalesce(s.lowered, 0) AS lowered,
  s.average_score,
  s.high / s.calculated::double precision AS high_share,
  wilson_low(s.high, s.calculated) AS high_share_low,
  wilson_high(s.high, s.calculated) AS high_share_high
FROM period t
LEFT JOIN scored s ON s.n = t.n
WHERE EXISTS (SELECT FROM scored)
ORDER BY t.starts_at
