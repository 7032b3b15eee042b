-- What dashboards, BI tools and reports read. Names, columns and their order are a contract; further columns come last.
--
-- Open means stage < 'closed_won'. Time is sales_now(); days are spans of 24 hours; months and dates are those of UTC.
-- Silence (days_since_contact) counts from the last contact and, where there was none, from qualification: a lead nobody ever called is
-- the quietest of all. Values: an unknown estimated_value stays unknown (null) in a row and adds nothing to a sum.

-- A number out of metadata.ml_predictions, or null when it is absent, no number, or outside 0..p_max. Metadata is free text from outside:
-- nothing in it may break a view. One expression, so that the planner inlines it.
CREATE FUNCTION ml_prediction(p_metadata jsonb, p_name text, p_max numeric) RETURNS numeric
LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$
  SELECT CASE WHEN jsonb_typeof(p_metadata -> 'ml_predictions' -> p_name) = 'number'
    THEN CASE WHEN (p_metadata -> 'ml_predictions' -> p_name)::numeric BETWEEN 0 AND p_max
      THEN (p_metadata -> 'ml_predictions' -> p_name)::numeric END END
$$;

CREATE VIEW v_sales_dashboard AS
SELECT
  p.id,
  p.lead_ext_id,
  p.email,
  coalesce(nullif(btrim(concat_ws(' ', btrim(p.first_name), btrim(p.last_name))), ''), p.email)::text AS full_name,
  p.score,
  p.priority,
  p.stage,
  p.assigned_to,
  p.estimated_value,
  p.probability_pct,
  round(p.estimated_value * p.probability_pct / 100, 2) AS expected_value,
  p.qualified_at,
  p.last_contact_at,
  p.next_followup_at,
  greatest(extract(day FROM sales_now() - p.qualified_at), 0)::int AS days_in_pipeline,
  greatest(extract(day FROM sales_now() - coalesce(p.last_contact_at, p.first_contact_at, p.qualified_at)), 0)::int AS days_since_contact,
  t.pending_tasks,
  t.overdue_tasks,
  t.completed_tasks,
  ml_prediction(p.metadata, 'probability', 100) AS ml_probability,
  ml_prediction(p.metadata, 'risk_score', 1) AS ml_risk_score,
  CASE p.stage
    WHEN 'qualified' THEN 'Inicial'
    WHEN 'contacted' THEN 'Contactado'
    WHEN 'meeting_scheduled' THEN 'Reunión'
    WHEN 'proposal_sent' THEN 'Propuesta'
    WHEN 'negotiating' THEN 'Negociación'
    WHEN 'closed_won' THEN 'Ganado'
    WHEN 'closed_lost' THEN 'Perdido'
  END AS stage_label
FROM sales_pipeline p
-- Per deal through idx_tasks_pipeline: most tasks ever made belong to closed deals, which are not shown.
LEFT JOIN LATERAL (
  SELECT
    count(*) FILTER (WHERE f.status IN ('pending', 'in_progress')) AS pending_tasks,
    count(*) FILTER (WHERE f.status IN ('pending', 'in_progress') AND f.due_date < sales_now()) AS overdue_tasks,
    count(*) FILTER (WHERE f.status = 'completed') AS completed_tasks
  FROM sales_followup_tasks f
  WHERE f.pipeline_id = p.id
) t ON true
WHERE p.stage < 'closed_won';

COMMENT ON VIEW v_sales_dashboard IS
  'open deals; pending_tasks = pending or in progress, overdue_tasks = those of them that are past due; full_name falls back to the e-mail';

-- Most urgent first: priority, then broken promises (overdue tasks), then silence, then money.
CREATE VIEW v_leads_requires_attention AS
SELECT *
FROM (
  SELECT
    p.id, p.lead_ext_id, p.email, p.first_name, p.last_name, p.phone, p.score, p.priority, p.source, p.utm_source, p.utm_campaign, p.stage,
    p.assigned_to, p.qualified_at, p.first_contact_at, p.last_contact_at, p.next_followup_at, p.closed_at, p.estimated_value,
    p.probability_pct, p.notes, p.metadata, p.created_at, p.updated_at,
    greatest(extract(day FROM sales_now() - coalesce(p.last_contact_at, p.first_contact_at, p.qualified_at)), 0)::int AS days_since_contact,
    coalesce(t.overdue_tasks, 0) AS overdue_tasks,
    ml_prediction(p.metadata, 'risk_score', 1) AS ml_risk_score
  FROM sales_pipeline p
  LEFT JOIN (
    SELECT pipeline_id, count(*) AS overdue_tasks
    FROM sales_followup_tasks
    WHERE status IN ('pending', 'in_progress') AND due_date < sales_now()
    GROUP BY pipeline_id
  ) t ON t.pipeline_id = p.id
  WHERE p.stage < 'closed_won'
) o
WHERE (o.estimated_value >= 10000 AND o.days_since_contact >= 7)
  OR o.overdue_tasks > 0
  OR o.ml_risk_score > 0.7
  OR o.days_since_contact >= 14
ORDER BY o.priority DESC NULLS LAST, o.overdue_tasks DESC, o.days_since_contact DESC, o.estimated_value DESC NULLS LAST, o.id;

COMMENT ON VIEW v_leads_requires_attention IS
  'open deals worth 10,000 or more that are silent for 7 days, with an overdue task, with an ML risk above 0.7, or silent for 14 days';

-- Deals and overdue tasks are aggregated apart and joined by rep, so that tasks do not multiply deals. A task without an assignee is the
-- task of the deal's owner. Deals of nobody are nobody's performance: they are left out here and show in v_sales_dashboard.
-- The joined columns are text, because a condition on a merged varchar column does not reach the indexes below the join.
CREATE VIEW v_sales_rep_performance AS
SELECT
  assigned_to,
  coalesce(d.active_leads, 0) AS active_leads,
  coalesce(d.won_last_30d, 0) AS won_last_30d,
  coalesce(d.lost_last_30d, 0) AS lost_last_30d,
  coalesce(d.won_last_30d + d.lost_last_30d, 0) AS total_closed,
  round(100.0 * d.won_last_30d / nullif(d.won_last_30d + d.lost_last_30d, 0), 2) AS win_rate_pct,
  coalesce(d.total_revenue, 0) AS total_revenue,
  d.avg_days_to_close,
  coalesce(t.overdue_tasks, 0) AS overdue_tasks,
  d.avg_lead_score,
  coalesce(d.weighted_pipeline, 0) AS weighted_pipeline
FROM (
  SELECT
    p.assigned_to::text AS assigned_to,
    count(*) FILTER (WHERE p.stage < 'closed_won') AS active_leads,
    count(*) FILTER (WHERE p.stage = 'closed_won' AND p.closed_at >= sales_now() - interval '30 days') AS won_last_30d,
    count(*) FILTER (WHERE p.stage = 'closed_lost' AND p.closed_at >= sales_now() - interval '30 days') AS lost_last_30d,
    sum(p.estimated_value) FILTER (WHERE p.stage = 'closed_won' AND p.closed_at >= sales_now() - interval '30 days') AS total_revenue,
    round((avg(extract(epoch FROM p.closed_at - p.qualified_at))
      FILTER (WHERE p.stage = 'closed_won' AND p.closed_at >= sales_now() - interval '30 days') / 86400)::numeric, 2) AS avg_days_to_close,
    round(avg(p.score) FILTER (WHERE p.stage < 'closed_won'), 2) AS avg_lead_score,
    round(sum(p.estimated_value * p.probability_pct / 100) FILTER (WHERE p.stage < 'closed_won'), 2) AS weighted_pipeline
  FROM sales_pipeline p
  WHERE p.assigned_to IS NOT NULL
  GROUP BY p.assigned_to
) d
FULL JOIN (
  SELECT o.assigned_to::text AS assigned_to, count(*) AS overdue_tasks
  FROM (
    SELECT f.assigned_to
    FROM sales_followup_tasks f
    WHERE f.assigned_to IS NOT NULL AND f.status IN ('pending', 'in_progress') AND f.due_date < sales_now()
    UNION ALL
    SELECT p.assigned_to
    FROM sales_followup_tasks f
    JOIN sales_pipeline p ON p.id = f.pipeline_id
    WHERE f.assigned_to IS NULL AND f.status IN ('pending', 'in_progress') AND f.due_date < sales_now() AND p.assigned_to IS NOT NULL
  ) o
  GROUP BY o.assigned_to
) t USING (assigned_to);

COMMENT ON VIEW v_sales_rep_performance IS
  'per rep: open deals now, deals closed in the last 30 days; win_rate_pct, avg_days_to_close (won deals) and avg_lead_score (open deals) '
  'are null where there is nothing to divide by';

-- The month a deal is expected to close:
--   1. the time to close predicted for it, counted from the day of the prediction (from today where that day is unreadable);
--   2. else the day it entered its stage + the median time from entering that stage to winning, over the deals won in the last 365 days,
--      where at least 10 such deals tell it;
--   3. else the day it entered its stage + 60, 45, 30, 20, 10 days (qualified ... negotiating), an assumption until there is history.
--   A day that has passed counts as the current month.
-- weighted_forecast = sum of p x value. Its interval takes deals as independent: the variance of the sum is the sum of p (1 - p) value²,
-- and low and high are the central 80 % of a normal distribution (1.2816 standard deviations), kept between 0 and the total. With a
-- handful of deals a sum of yes/no outcomes is not normal: read it as an order of magnitude there.
CREATE VIEW v_sales_forecast AS
WITH clock AS MATERIALIZED (
  SELECT sales_now() AS now
),
won_stage AS (
  SELECT h.pipeline_id, h.to_stage AS stage, extract(epoch FROM p.closed_at - min(h.changed_at)) / 86400 AS days_to_win
  FROM sales_pipeline p
  JOIN sales_stage_history h ON h.pipeline_id = p.id
  WHERE p.stage = 'closed_won' AND p.closed_at >= (SELECT now - interval '365 days' FROM clock) AND h.to_stage < 'closed_won'
  GROUP BY h.pipeline_id, h.to_stage, p.closed_at
),
stage_days AS (
  SELECT s.stage, coalesce(m.days, s.assumed_days) AS days
  FROM (VALUES
    ('qualified'::pipeline_stage, 60), ('contacted', 45), ('meeting_scheduled', 30), ('proposal_sent', 20), ('negotiating', 10)
  ) AS s (stage, assumed_days)
  LEFT JOIN (
    SELECT stage, greatest(percentile_cont(0.5) WITHIN GROUP (ORDER BY days_to_win), 0) AS days
    FROM won_stage
    GROUP BY stage
    HAVING count(*) >= 10
  ) m ON m.stage = s.stage
),
entered AS (
  SELECT h.pipeline_id, max(h.changed_at) AS entered_at
  FROM sales_pipeline p
  JOIN sales_stage_history h ON h.pipeline_id = p.id AND h.to_stage = p.stage
  WHERE p.stage < 'closed_won'
  GROUP BY h.pipeline_id
),
deal AS (
  SELECT
    p.stage,
    p.priority,
    p.probability_pct,
    coalesce(p.estimated_value, 0) AS value,
    coalesce(p.probability_pct, 0) / 100.0 AS probability,
    date_trunc('month', greatest(c.now AT TIME ZONE 'UTC', coalesce(
      predicted.made_on + predicted.days * interval '1 day',
      coalesce(e.entered_at, p.qualified_at) AT TIME ZONE 'UTC' + s.days * interval '1 day')))::date AS forecast_month
  FROM sales_pipeline p
  CROSS JOIN clock c
  JOIN stage_days s ON s.stage = p.stage
  LEFT JOIN entered e ON e.pipeline_id = p.id
  CROSS JOIN LATERAL (
    SELECT
      ml_prediction(p.metadata, 'time_to_close_days', 3650)::double precision AS days,
      -- Built from its parts, because a cast of 2026-02-31 would fail; a day too many runs into the next month.
      CASE WHEN p.metadata -> 'ml_predictions' ->> 'predicted_at' ~ '^20[0-9][0-9]-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])([T ]|$)'
        THEN make_date(
          substr(p.metadata -> 'ml_predictions' ->> 'predicted_at', 1, 4)::int,
          substr(p.metadata -> 'ml_predictions' ->> 'predicted_at', 6, 2)::int, 1)
          + substr(p.metadata -> 'ml_predictions' ->> 'predicted_at', 9, 2)::int - 1
        ELSE (c.now AT TIME ZONE 'UTC')::date
      END AS made_on
  ) predicted
  WHERE p.stage < 'closed_won'
),
month AS (
  SELECT
    forecast_month,
    count(*) AS total_deals,
    sum(value) AS total_pipeline_value,
    sum(probability * value) AS weighted_forecast,
    coalesce(sum(probability * value) FILTER (WHERE priority >= 'high'), 0) AS high_priority_forecast,
    avg(probability_pct) AS avg_probability,
    count(*) FILTER (WHERE stage = 'negotiating') AS negotiating_count,
    count(*) FILTER (WHERE stage = 'proposal_sent') AS proposals_count,
    1.2816 * sqrt(sum(probability * (1 - probability) * value * value)) AS half_width
  FROM deal
  GROUP BY forecast_month
)
SELECT
  forecast_month,
  total_deals,
  total_pipeline_value,
  round(weighted_forecast, 2) AS weighted_forecast,
  round(high_priority_forecast, 2) AS high_priority_forecast,
  round(avg_probability, 2) AS avg_probability,
  negotiating_count,
  proposals_count,
  round(greatest(weighted_forecast - half_width, 0), 2) AS weighted_forecast_low,
  round(least(weighted_forecast + half_width, total_pipeline_value), 2) AS weighted_forecast_high
FROM month
ORDER BY forecast_month;

COMMENT ON VIEW v_sales_forecast IS
  'open deals by the month they are expected to close; weighted_forecast_low and _high = central 80 % of the sum of independent yes/no '
  'outcomes';

-- The deals qualified in the last 90 days. total_leads up to total_value describe those that are in the stage NOW. reached_leads counts
-- those that got at least as far (a later stage passes through the earlier ones; a lost deal reached what its history says), and
-- conversion_rate_pct is the share of previous_stage_count, the reached_leads of the stage before, that reached this one. A deal can be
-- lost from any stage: closed_lost is measured against all qualified deals. avg_days_in_stage is the average time per deal really spent in
-- the stage, from history, up to now where it is still there; closed stages have none.
CREATE VIEW v_conversion_funnel AS
WITH cohort AS MATERIALIZED (
  SELECT id, stage, priority, score, probability_pct, estimated_value
  FROM sales_pipeline
  WHERE qualified_at >= sales_now() - interval '90 days'
),
visit AS MATERIALIZED (
  SELECT
    h.pipeline_id,
    h.to_stage AS stage,
    greatest(extract(epoch FROM
      coalesce(lead(h.changed_at) OVER (PARTITION BY h.pipeline_id ORDER BY h.changed_at, h.id), sales_now()) - h.changed_at), 0) AS seconds
  FROM sales_stage_history h
  JOIN cohort c ON c.id = h.pipeline_id
),
stay AS (
  SELECT stage, round((sum(seconds) / 86400 / count(DISTINCT pipeline_id))::numeric, 2) AS avg_days
  FROM visit
  WHERE stage < 'closed_won'
  GROUP BY stage
),
furthest AS (
  SELECT stage, count(*) AS leads
  FROM (
    SELECT coalesce(greatest(max(v.stage), CASE WHEN c.stage < 'closed_lost' THEN c.stage END), 'qualified') AS stage
    FROM cohort c
    LEFT JOIN visit v ON v.pipeline_id = c.id AND v.stage < 'closed_won'
    GROUP BY c.id, c.stage
  ) deal
  GROUP BY stage
),
present AS (
  SELECT
    stage,
    count(*) AS leads,
    count(*) FILTER (WHERE priority >= 'high') AS high_priority,
    count(*) FILTER (WHERE priority = 'medium') AS medium_priority,
    count(*) FILTER (WHERE priority = 'low') AS low_priority,
    round(avg(score), 2) AS avg_score,
    round(avg(probability_pct), 2) AS avg_probability,
    sum(estimated_value) AS total_value
  FROM cohort
  GROUP BY stage
),
reached AS (
  SELECT
    s.stage,
    coalesce(CASE s.stage WHEN 'closed_lost' THEN p.leads ELSE sum(f.leads) OVER (ORDER BY s.stage DESC) END, 0)::bigint AS leads
  FROM unnest(enum_range(NULL::pipeline_stage)) AS s (stage)
  LEFT JOIN furthest f ON f.stage = s.stage
  LEFT JOIN present p ON p.stage = s.stage
),
step AS (
  SELECT
    stage,
    leads,
    CASE stage WHEN 'closed_lost' THEN first_value(leads) OVER in_order ELSE lag(leads) OVER in_order END AS previous_leads
  FROM reached
  WINDOW in_order AS (ORDER BY stage)
)
SELECT
  r.stage,
  coalesce(p.leads, 0) AS total_leads,
  coalesce(p.high_priority, 0) AS high_priority,
  coalesce(p.medium_priority, 0) AS medium_priority,
  coalesce(p.low_priority, 0) AS low_priority,
  p.avg_score,
  p.avg_probability,
  coalesce(p.total_value, 0) AS total_value,
  s.avg_days AS avg_days_in_stage,
  r.previous_leads AS previous_stage_count,
  round(100.0 * r.leads / nullif(r.previous_leads, 0), 2) AS conversion_rate_pct,
  r.leads AS reached_leads
FROM step r
LEFT JOIN present p ON p.stage = r.stage
LEFT JOIN stay s ON s.stage = r.stage
ORDER BY r.stage;

COMMENT ON VIEW v_conversion_funnel IS
  'deals qualified in the last 90 days: who is in a stage now, how many reached it, which share of those that reached the stage before';

-- The open deals with the most expected money first.
CREATE FUNCTION get_top_opportunities(p_limit int DEFAULT 20, p_min_value numeric DEFAULT 0)
RETURNS TABLE (
  lead_ext_id varchar, email varchar, full_name text, stage pipeline_stage, estimated_value numeric, probability_pct int,
  expected_value numeric, assigned_to varchar, days_in_pipeline int
)
LANGUAGE sql STABLE SET search_path FROM CURRENT
AS $$
  SELECT
    d.lead_ext_id, d.email, d.full_name, d.stage, d.estimated_value, d.probability_pct, d.expected_value, d.assigned_to, d.days_in_pipeline
  FROM v_sales_dashboard d
  WHERE coalesce(d.estimated_value, 0) >= coalesce(p_min_value, 0)
  ORDER BY d.expected_value DESC NULLS LAST, d.estimated_value DESC NULLS LAST, d.id
  LIMIT p_limit
$$;

-- Open deals that went quiet for p_min_days_without_contact days OR are predicted to be lost with at least p_min_risk_score: either alone
-- is a reason to look, and a deal without a prediction can only be found by its silence. Worst first.
CREATE FUNCTION get_leads_at_risk(p_min_days_without_contact int DEFAULT 7, p_min_risk_score numeric DEFAULT 0.6)
RETURNS TABLE (
  lead_ext_id varchar, email varchar, stage pipeline_stage, estimated_value numeric, days_since_contact int, overdue_tasks_count bigint,
  ml_risk_score numeric, risk_level text
)
LANGUAGE sql STABLE SET search_path FROM CURRENT
AS $$
  SELECT r.lead_ext_id, r.email, r.stage, r.estimated_value, r.days_since_contact, r.overdue_tasks, r.ml_risk_score, r.level
  FROM (
    SELECT
      d.*,
      CASE
        WHEN d.ml_risk_score > 0.8 THEN 'CRITICAL'
        WHEN d.ml_risk_score > 0.6 THEN 'HIGH'
        WHEN d.days_since_contact > 14 THEN 'MEDIUM'
        ELSE 'LOW'
      END AS level
    FROM v_sales_dashboard d
  ) r
  WHERE r.days_since_contact >= p_min_days_without_contact OR r.ml_risk_score >= p_min_risk_score
  ORDER BY
    array_position(ARRAY['CRITICAL', 'HIGH', 'MEDIUM', 'LOW'], r.level), r.ml_risk_score DESC NULLS LAST, r.days_since_contact DESC,
    r.estimated_value DESC NULLS LAST, r.id
$$;

-- Computes a rep's statistics (the row of v_sales_rep_performance, zeros where it has none), stores them in sales_reps and returns them.
-- No row for an address that is no rep.
CREATE FUNCTION update_rep_stats(p_rep_email varchar)
RETURNS TABLE (
  rep_email varchar, active_leads bigint, won_last_30d bigint, lost_last_30d bigint, total_closed bigint, win_rate_pct numeric,
  total_revenue numeric, avg_days_to_close numeric, overdue_tasks bigint, avg_lead_score numeric, weighted_pipeline numeric,
  stats_updated_at timestamptz
)
LANGUAGE plpgsql VOLATILE SET search_path FROM CURRENT
AS $$
#variable_conflict use_column
DECLARE
  v_email CONSTANT text := lower(btrim(p_rep_email));
  v_stats v_sales_rep_performance;
BEGIN
  SELECT * INTO v_stats FROM v_sales_rep_performance WHERE assigned_to = v_email;

  RETURN QUERY UPDATE sales_reps r
  SET
    active_leads = coalesce(v_stats.active_leads, 0),
    won_last_30d = coalesce(v_stats.won_last_30d, 0),
    lost_last_30d = coalesce(v_stats.lost_last_30d, 0),
    total_closed = coalesce(v_stats.total_closed, 0),
    win_rate_pct = v_stats.win_rate_pct,
    total_revenue = coalesce(v_stats.total_revenue, 0),
    avg_days_to_close = v_stats.avg_days_to_close,
    overdue_tasks = coalesce(v_stats.overdue_tasks, 0),
    avg_lead_score = v_stats.avg_lead_score,
    weighted_pipeline = coalesce(v_stats.weighted_pipeline, 0),
    stats_updated_at = sales_now()
  WHERE r.email = v_email
  RETURNING r.email, r.active_leads, r.won_last_30d, r.lost_last_30d, r.total_closed, r.win_rate_pct, r.total_revenue, r.avg_days_to_close,
    r.overdue_tasks, r.avg_lead_score, r.weighted_pipeline, r.stats_updated_at;
END
$$;

-- One row a day, without gaps, from the first day with anything to tell (three years back at most) to today. Each source is aggregated by
-- day before the join: joining tasks and events to deals would multiply values by their counts.
--   contacted, meetings_scheduled, proposals_sent: deals that entered the stage that day, from stage history.
--   avg_deal_value: of the deals won that day. total_pipeline_value: of the deals open at the end of the day, at their present value.
--   tasks_overdue: tasks due that day that were not completed in time (open and past due, or completed late).
--   emails_sent, calls_made: campaign events that went out; queued, failed and skipped ones do not count.
CREATE MATERIALIZED VIEW mv_sales_metrics AS
WITH qualified AS (
  SELECT (qualified_at AT TIME ZONE 'UTC')::date AS date, count(*) AS deals
  FROM sales_pipeline
  GROUP BY 1
),
entered AS (
  SELECT
    (changed_at AT TIME ZONE 'UTC')::date AS date,
    count(DISTINCT pipeline_id) FILTER (WHERE to_stage = 'contacted') AS contacted,
    count(DISTINCT pipeline_id) FILTER (WHERE to_stage = 'meeting_scheduled') AS meetings,
    count(DISTINCT pipeline_id) FILTER (WHERE to_stage = 'proposal_sent') AS proposals
  FROM sales_stage_history
  WHERE to_stage IN ('contacted', 'meeting_scheduled', 'proposal_sent')
  GROUP BY 1
),
closed AS (
  SELECT
    (closed_at AT TIME ZONE 'UTC')::date AS date,
    count(*) FILTER (WHERE stage = 'closed_won') AS won,
    count(*) FILTER (WHERE stage = 'closed_lost') AS lost,
    avg(estimated_value) FILTER (WHERE stage = 'closed_won') AS avg_value
  FROM sales_pipeline
  WHERE closed_at IS NOT NULL
  GROUP BY 1
),
completed AS (
  SELECT (completed_at AT TIME ZONE 'UTC')::date AS date, count(*) AS tasks
  FROM sales_followup_tasks
  WHERE completed_at IS NOT NULL
  GROUP BY 1
),
overdue AS (
  SELECT (due_date AT TIME ZONE 'UTC')::date AS date, count(*) AS tasks
  FROM sales_followup_tasks
  WHERE (status IN ('pending', 'in_progress') AND due_date < sales_now()) OR completed_at > due_date
  GROUP BY 1
),
sent AS (
  SELECT
    (coalesce(executed_at, created_at) AT TIME ZONE 'UTC')::date AS date,
    count(*) FILTER (WHERE event_type = 'email_sent') AS emails,
    count(*) FILTER (WHERE event_type = 'call_made') AS calls
  FROM sales_campaign_events
  WHERE event_type IN ('email_sent', 'call_made') AND status IN ('sent', 'delivered', 'completed')
  GROUP BY 1
),
span AS MATERIALIZED (
  SELECT greatest(min(active.date), t.date - 1095) AS first_date, t.date AS last_date
  FROM (
    SELECT date FROM qualified UNION ALL SELECT date FROM entered UNION ALL SELECT date FROM closed
    UNION ALL SELECT date FROM completed UNION ALL SELECT date FROM overdue UNION ALL SELECT date FROM sent
  ) active
  CROSS JOIN (SELECT (sales_now() AT TIME ZONE 'UTC')::date AS date) t
  WHERE active.date <= t.date
  GROUP BY t.date
),
day AS (
  SELECT generate_series(first_date, last_date, interval '1 day')::date AS date FROM span
),
-- What each day adds to and takes from the value of open deals; the first day carries all that came before it.
movement AS (
  SELECT greatest(m.date, s.first_date) AS date, sum(m.value) AS value
  FROM (
    SELECT (qualified_at AT TIME ZONE 'UTC')::date AS date, estimated_value AS value FROM sales_pipeline
    UNION ALL
    SELECT (closed_at AT TIME ZONE 'UTC')::date, -estimated_value FROM sales_pipeline WHERE closed_at IS NOT NULL
  ) m
  CROSS JOIN span s
  GROUP BY 1
)
SELECT
  date,
  coalesce(qualified.deals, 0) AS total_qualified,
  coalesce(entered.contacted, 0) AS contacted,
  coalesce(entered.meetings, 0) AS meetings_scheduled,
  coalesce(entered.proposals, 0) AS proposals_sent,
  coalesce(closed.won, 0) AS closed_won,
  coalesce(closed.lost, 0) AS closed_lost,
  round(100.0 * closed.won / nullif(closed.won + closed.lost, 0), 2) AS win_rate_pct,
  round(closed.avg_value, 2) AS avg_deal_value,
  coalesce(sum(movement.value) OVER (ORDER BY date), 0) AS total_pipeline_value,
  coalesce(completed.tasks, 0) AS tasks_completed,
  coalesce(overdue.tasks, 0) AS tasks_overdue,
  coalesce(sent.emails, 0) AS emails_sent,
  coalesce(sent.calls, 0) AS calls_made
FROM day
LEFT JOIN qualified USING (date)
LEFT JOIN entered USING (date)
LEFT JOIN closed USING (date)
LEFT JOIN movement USING (date)
LEFT JOIN completed USING (date)
LEFT JOIN overdue USING (date)
LEFT JOIN sent USING (date);

-- REFRESH MATERIALIZED VIEW CONCURRENTLY needs it.
CREATE UNIQUE INDEX mv_sales_metrics_date_key ON mv_sales_metrics (date);
