-- The deals qualified in the 90 days before the end of the period: how many reached each stage by then (a later stage passes through the
-- earlier ones, a lost deal reached what its history says), the share of those that reached the stage before, how many were in the stage at
-- the end and what they were worth, and the average days really spent in it. Lost is measured against all of them.
WITH cohort AS MATERIALIZED (
  SELECT id, CASE WHEN closed_at < @to_at THEN stage END AS closed_as, estimated_value
  FROM sales_pipeline
  WHERE qualified_at >= @to_at::timestamptz - interval '90 days' AND qualified_at < @to_at
),
visit AS MATERIALIZED (
  SELECT
    h.pipeline_id, h.to_stage AS stage, h.changed_at,
    coalesce(lead(h.changed_at) OVER deal, @to_at) AS until,
    row_number() OVER (PARTITION BY h.pipeline_id ORDER BY h.changed_at DESC, h.id DESC) = 1 AS is_last
  FROM sales_stage_history h
  JOIN cohort c ON c.id = h.pipeline_id
  WHERE h.changed_at < @to_at
  WINDOW deal AS (PARTITION BY h.pipeline_id ORDER BY h.changed_at, h.id)
),
stay AS (
  SELECT stage, sum(extract(epoch FROM until - changed_at)) / 86400 / count(DISTINCT pipeline_id) AS days
  FROM visit
  WHERE stage < 'closed_won'
  GROUP BY stage
),
deal AS (
  SELECT
    c.id, c.closed_as, c.estimated_value,
    coalesce(c.closed_as, max(v.stage) FILTER (WHERE v.is_last AND v.stage < 'closed_won'), 'qualified') AS stage_at_end,
    CASE WHEN c.closed_as = 'closed_won' THEN c.closed_as
      ELSE coalesce(max(v.stage) FILTER (WHERE v.stage < 'closed_won'), 'qualified') END AS furthest
  FROM cohort c
  LEFT JOIN visit v ON v.pipeline_id = c.id
  GROUP BY c.id, c.closed_as, c.estimated_value
),
stage AS (
  SELECT s.stage, lag(s.stage) OVER (ORDER BY s.stage) AS stage_before
  FROM unnest(enum_range(NULL::pipeline_stage)) AS s (stage)
),
counted AS (
  SELECT
    s.stage,
    s.stage_before,
    CASE WHEN s.stage = 'closed_lost' THEN (SELECT count(*) FROM deal d WHERE d.closed_as = 'closed_lost')
      ELSE (SELECT count(*) FROM deal d WHERE d.furthest >= s.stage) END AS reached,
    (SELECT count(*) FROM deal d WHERE d.stage_at_end = s.stage) AS at_end,
    (SELECT coalesce(sum(d.estimated_value), 0) FROM deal d WHERE d.stage_at_end = s.stage) AS value_at_end
  FROM stage s
),
compared AS (
  SELECT c.*, CASE WHEN c.stage = 'closed_lost' THEN a.reached ELSE b.reached END AS reached_before
  FROM counted c
  LEFT JOIN counted b ON b.stage = c.stage_before
  LEFT JOIN counted a ON a.stage = 'qualified'
)
SELECT
  c.stage::text AS stage,
  c.reached,
  c.reached / nullif(c.reached_before, 0)::double precision AS share_of_previous,
  wilson_low(c.reached, c.reached_before) AS share_low,
  wilson_high(c.reached, c.reached_before) AS share_high,
  c.at_end,
  c.value_at_end,
  s.days AS average_days
FROM compared c
LEFT JOIN stay s ON s.stage = c.stage
WHERE EXISTS (SELECT FROM cohort)
ORDER BY c.stage
