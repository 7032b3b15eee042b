-- What the forecast learns from: for each of the last periods, stage and size of deal (half decades of value), the deals that were in it
-- at the period's start and those of them won in the period. stage null: deals won in the period that were not open at its start, with their values.
WITH period AS (
  SELECT starts_at, starts_at + @step::interval AS ends_at, row_number() OVER (ORDER BY starts_at)::int AS n
  FROM generate_series(@learn_at::timestamptz, @from_at::timestamptz, @step::interval) AS starts_at
),
bounds AS (
  SELECT array_agg(starts_at ORDER BY starts_at) AS starts FROM period
),
visit AS MATERIALIZED (
  SELECT
    h.to_stage AS stage, h.changed_at AS since, p.closed_at, p.estimated_value AS value,
    CASE WHEN p.stage = 'closed_won' AND p.closed_at < @to_at THEN p.closed_at END AS won_at,
    coalesce(lead(h.changed_at) OVER (PARTITION BY h.pipeline_id ORDER BY h.changed_at, h.id), 'infinity') AS until
  FROM sales_stage_history h
  JOIN sales_pipeline p ON p.id = h.pipeline_id
  WHERE p.qualified_at < @from_at AND (p.closed_at IS NULL OR p.closed_at >= @learn_at)
),
-- Each visit meets the periods that began after it did and until it, or the deal, was over: found by their numbers, not by trying all.
at_start AS (
  SELECT
    m.n, v.stage, v.band, count(*) AS deals, sum(v.value) AS value, sum(v.square) AS squares,
    count(*) FILTER (WHERE v.won_in = m.n) AS won,
    sum(v.value) FILTER (WHERE v.won_in = m.n) AS won_value,
    sum(v.square) FILTER (WHERE v.won_in = m.n) AS won_squares
  FROM (
    SELECT
      v.stage, v.value, v.value * v.value AS square, coalesce(floor(2 * log(greatest(v.value, 1)::double precision)), 0)::int AS band,
      width_bucket(v.since, b.starts) + 1 AS first,
      width_bucket(least(v.until, coalesce(v.closed_at, 'infinity')), b.starts) AS last,
      width_bucket(v.won_at, b.starts) AS won_in
    FROM visit v, bounds b
    WHERE v.stage < 'closed_won' AND v.until >= @learn_at
  ) AS v
  CROSS JOIN LATERAL generate_series(v.first, v.last) AS m (n)
  GROUP BY 1, 2, 3
),
new_business AS (
  SELECT t.starts_at, count(*) AS won, sum(p.estimated_value) AS value, sum(p.estimated_value * p.estimated_value) AS squares
  FROM period t
  JOIN sales_pipeline p ON p.closed_at >= t.starts_at AND p.closed_at < t.ends_at AND p.qualified_at >= t.starts_at
  WHERE p.stage = 'closed_won' AND p.closed_at >= @learn_at AND p.closed_at < @to_at
  GROUP BY t.starts_at
)
SELECT
  starts_at, stage::text AS stage, band, deals, coalesce(value, 0)::double precision AS value, coalesce(squares, 0)::double precision AS squares,
  won, coalesce(won_value, 0)::double precision AS won_value, coalesce(won_squares, 0)::double precision AS won_squares
FROM at_start
JOIN period USING (n)
UNION ALL
SELECT
  t.starts_at, NULL, 0, 0, 0, 0, coalesce(n.won, 0), coalesce(n.value, 0)::double precision, coalesce(n.squares, 0)::double precision
FROM period t
LEFT JOIN new_business n ON n.starts_at = t.starts_at
ORDER BY 1, 2, 3
