-- Scores every lead of one block (lead_id from @first to @last), writes what changed and its history, and forgets what was due there. A lead whose
-- person was erased keeps its score.
-- Runs under the block's lock (lock_blocks.sql), in a transaction of its own.
-- The calculation runs once, and each lead whose result changed is found again by its ctid: the plan stays linear whatever the planner
-- knows of the tables. A lead that another session changed meanwhile has a new ctid and is left alone; it comes back on the list here,
-- because that session's change need not have put it there.
WITH calculated AS MATERIALIZED (
  SELECT *
  FROM lead_score_calculation(@rule_version, @as_of, @engagement, @model, @first, @last) AS k
  WHERE (k.score IS DISTINCT FROM k.previous_score OR (@set_priority AND k.priority IS DISTINCT FROM k.previous_priority))
    AND k.lead_id NOT IN (SELECT e.lead_id FROM leads e WHERE e.erased_at IS NOT NULL AND e.lead_id BETWEEN @first AND @last)
), settled AS (
  DELETE FROM lead_score_due
  WHERE lead_id BETWEEN @first AND @last AND due_at <= @as_of
), changed AS (
  UPDATE leads l
  SET score = c.score,
      priority = CASE WHEN @set_priority THEN c.priority ELSE l.priority END,
      updated_at = @as_of
  FROM calculated c
  WHERE l.ctid = c.lead_ctid AND l.lead_id BETWEEN @first AND @last
  RETURNING l.lead_id
), complete AS MATERIALIZED (
  SELECT (SELECT count(*) FROM changed) = (SELECT count(*) FROM calculated) AS nobody_interfered
), left_alone AS (
  INSERT INTO lead_score_due (lead_id)
  SELECT lead_id
  FROM calculated
  WHERE NOT (SELECT nobody_interfered FROM complete) AND lead_id NOT IN (SELECT lead_id FROM changed)
), history AS (
  -- leads.score takes any int that somebody writes; the history is leaner.
  INSERT INTO lead_scores (
    lead_id, calculated_at, priority, rule_version, score, previous_score, base_points, email_points, phone_points, name_points,
    reply_points, click_points, open_points, source_points, utm_points, age_points, domain_points, website_points, demo_points,
    pricing_points, cap_points, model_points, bot_events)
  SELECT
    lead_id, @as_of, priority, @rule_version, score, CASE WHEN previous_score IS NOT NULL THEN least(greatest(previous_score, -32768), 32767) END, base_points, email_points, phone_points, name_points,
    reply_points, click_points, open_points, source_points, utm_points, age_points, domain_points, website_points, demo_points,
    pricing_points, cap_points, model_points, bot_events
  FROM calculated
  WHERE (SELECT nobody_interfered FROM complete) OR lead_id IN (SELECT lead_id FROM changed)
)
SELECT
  (SELECT count(*) FROM leads WHERE lead_id BETWEEN @first AND @last) AS evaluated,
  count(*) AS changed,
  count(*) FILTER (WHERE score > previous_score) AS up,
  count(*) FILTER (WHERE score < previous_score) AS down,
  count(*) FILTER (WHERE previous_score IS NULL) AS first_scored
FROM calculated
WHERE (SELECT nobody_interfered FROM complete) OR lead_id IN (SELECT lead_id FROM changed)
