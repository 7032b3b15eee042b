-- The five indicators of the period and of the one before, with sample sizes and 95 % intervals where they are shares (Wilson; the change by
-- Newcombe's method 10, as in v_campaign_variants). A deal is open at an instant if it was qualified before and not closed before.
--   weighted_pipeline: value x probability of the deals open at the end; values and probabilities are those known now.
--   conversion_rate: of the deals open at any time in the period, the share won in it. win_rate: of those closed in it.
--   time_to_close: median days from qualification of the deals won in it.
--   tasks_on_time: of the tasks due in it, skipped and cancelled ones left out, the share completed by then.
WITH period AS (
  SELECT *
  FROM (VALUES (true, @from_at::timestamptz, @to_at::timestamptz), (false, @previous_at::timestamptz, @from_at::timestamptz))
    AS v (is_current, starts_at, ends_at)
),
deals AS (
  SELECT
    t.is_current,
    count(*) AS worked,
    count(*) FILTER (WHERE p.closed_at IS NULL OR p.closed_at >= t.ends_at) AS open_at_end,
    sum(p.estimated_value * p.probability_pct / 100) FILTER (WHERE p.closed_at IS NULL OR p.closed_at >= t.ends_at) AS weighted,
    count(*) FILTER (WHERE p.stage = 'closed_won' AND p.closed_at < t.ends_at) AS won,
    count(*) FILTER (WHERE p.stage = 'closed_lost' AND p.closed_at < t.ends_at) AS lost,
    percentile_cont(0.5) WITHIN GROUP (ORDER BY extract(epoch FROM p.closed_at - p.qualified_at) / 86400)
      FILTER (WHERE p.stage = 'closed_won' AND p.closed_at < t.ends_at) AS days_to_win
  FROM period t
  JOIN sales_pipeline p ON p.qualified_at < t.ends_at AND (p.closed_at IS NULL OR p.closed_at >= t.starts_at)
  GROUP BY t.is_current
),
tasks AS (
  SELECT f.due_date >= @from_at AS is_current, count(*) AS due, count(*) FILTER (WHERE f.completed_at <= f.due_date) AS on_time
  FROM sales_followup_tasks f
  WHERE f.due_date >= @previous_at AND f.due_date < @to_at AND f.status NOT IN ('skipped', 'cancelled')
  GROUP BY 1
),
figures AS (
  SELECT
    t.is_current, coalesce(d.worked, 0) AS worked, coalesce(d.open_at_end, 0) AS open_at_end, coalesce(d.weighted, 0)::double precision AS weighted,
    coalesce(d.won, 0) AS won, coalesce(d.lost, 0) AS lost, d.days_to_win, coalesce(k.due, 0) AS due, coalesce(k.on_time, 0) AS on_time
  FROM period t
  LEFT JOIN deals d ON d.is_current = t.is_current
  LEFT JOIN tasks k ON k.is_current = t.is_current
),
measures AS (
  SELECT
    f.is_current, m.place, m.indicator, m.unit, m.sample, m.value,
    CASE WHEN m.unit = 'share' THEN wilson_low(m.successes, m.sample) END AS low,
    CASE WHEN m.unit = 'share' THEN wilson_high(m.successes, m.sample) END AS high
  FROM figures f
  CROSS JOIN LATERAL (VALUES
    (1, 'weighted_pipeline', 'money', NULL::bigint, f.open_at_end, f.weighted),
    (2, 'conversion_rate', 'share', f.won, f.worked, f.won / nullif(f.worked, 0)::double precision),
    (3, 'win_rate', 'share', f.won, f.won + f.lost, f.won / nullif(f.won + f.lost, 0)::double precision),
    (4, 'time_to_close', 'days', NULL, f.won, f.days_to_win),
    (5, 'tasks_on_time', 'share', f.on_time, f.due, f.on_time / nullif(f.due, 0)::double precision)
  ) AS m (place, indicator, unit, successes, sample, value)
),
pairs AS (
  SELECT
    c.place, c.indicator, c.unit, c.value, c.low, c.high, c.sample,
    b.value AS previous, b.low AS previous_low, b.high AS previous_high, b.sample AS previous_sample, c.value - b.value AS change
  FROM measures c
  JOIN measures b ON b.place = c.place AND NOT b.is_current
  WHERE c.is_current
),
changes AS (
  SELECT
    p.*,
    p.change - sqrt((p.value - p.low) ^ 2 + (p.previous_high - p.previous) ^ 2) AS change_low,
    p.change + sqrt((p.high - p.value) ^ 2 + (p.previous - p.previous_low) ^ 2) AS change_high
  FROM pairs p
)
SELECT
  indicator, unit, value, low, high, sample, previous, previous_low, previous_high, previous_sample, change, change_low, change_high,
  change_low > 0 OR change_high < 0 AS credible
FROM changes
ORDER BY place
