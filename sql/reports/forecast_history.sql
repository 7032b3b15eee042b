-- What the forecast learns from: for each of the last periods, stage and size of deal (half decades of value), the deals that were in it
-- at the period's start and those of them won in the period. stage null: deals won in the period that were not open at its start, with their values.
WITH period AS (
  SELECT starts_at, starts_at + @step::interval AS ends_at
  FROM generate_series(@learn_at::timestamptz, @from_at::timestamptz, @step::interval) AS starts_at
),
visit AS MATERIALIZED (
  SELECT
    h.to_stage AS stage, h.changed_at AS since, p.closed_at, p.estimated_value AS value,
    CASE WHEN p.stage = 'closed_won' THEN p.closed_at END AS won_at,
    coalesce(lead(h.changed_at) OVER (PARTITION BY h.pipeline_id ORDER BY h.changed_at, h.id), 'infinity') AS until
  FROM sales_stage_history h
  JOIN sales_pipeline p ON p.id = h.pipeline_id
  WHERE p.qualified_at < @from_at AND (p.closed_at IS NULL OR p.closed_at >= @learn_at)
),
at_start AS (
  SELECT
    t.starts_at, v.stage, coalesce(floor(2 * log(greatest(v.value, 1))), 0)::int AS band, count(*) AS deals, sum(v.value) AS value, sum(v.value ^ 2) AS squares,
    count(*) FILTER (WHERE v.won_at < t.ends_at) AS won,
    sum(v.value) FILTER (WHERE v.won_at < t.ends_at) AS won_value,
    sum(v.value ^ 2) FILTER (WHERE v.won_at < t.ends_at) AS won_squares
  FROM visit v
  JOIN period t ON v.since < t.starts_at AND v.until >= t.starts_at AND (v.closed_at IS NULL OR v.closed_at >= t.starts_at)
  WHERE v.stage < 'closed_won'
  GROUP BY 1, 2, 3
),
new_business AS (
  SELECT t.starts_at, count(*) AS won, sum(p.estimated_value) AS value, sum(p.estimated_value ^ 2) AS squares
  FROM period t
  JOIN sales_pipeline p ON p.closed_at >= t.starts_at AND p.closed_at < t.ends_at AND p.qualified_at >= t.starts_at
  WHERE p.stage = 'closed_won' AND p.closed_at >= @learn_at AND p.closed_at < @to_at
  GROUP BY t.starts_at
)
SELECT
  starts_at, stage::text AS stage, band, deals, coalesce(value, 0)::double precision AS value, coalesce(squares, 0)::double precision AS squares,
  won, coalesce(won_value, 0)::double precision AS won_value, coalesce(won_squares, 0)::double precision AS won_squares
FROM at_start
UNION ALL
SELECT
  t.starts_at, NULL, 0, 0, 0, 0, coalesce(n.won, 0), coalesce(n.value, 0)::double precision, coalesce(n.squares, 0)::double precision
FROM period t
LEFT JOIN new_business n ON n.starts_at = t.starts_at
ORDER BY 1, 2, 3
