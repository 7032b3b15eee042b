-- Scores every lead of one block (lead_id from @first to @last), writes what changed and its history, and forgets what was due there.
-- Runs under the block's lock (lock_blocks.sql), in a transaction of its own.
-- UPDATE … FROM (… OFFSET 0): the calculation runs once, and unchanged leads are dropped before the update sees them. A lead that another
-- session changes meanwhile gets the score of what was known here (the join is by lead_id: by ctid it would be left out, and nothing
-- would bring it back); a change of an input has its own row in lead_score_due, which this snapshot does not see and does not delete.
WITH settled AS (
  DELETE FROM lead_score_due
  WHERE lead_id BETWEEN @first AND @last AND due_at <= @as_of
), changed AS (
  UPDATE leads l
  SET score = c.score,
      priority = CASE WHEN @set_priority THEN c.priority ELSE l.priority END,
      updated_at = @as_of
  FROM (
    SELECT *
    FROM lead_score_calculation(@rule_version, @as_of, @engagement, @model, @first, @last) AS k
    WHERE k.score IS DISTINCT FROM k.previous_score OR (@set_priority AND k.priority IS DISTINCT FROM k.previous_priority)
    OFFSET 0
  ) AS c
  WHERE l.lead_id = c.lead_id AND l.lead_id BETWEEN @first AND @last
  RETURNING c.*
), history AS (
  INSERT INTO lead_scores (
    lead_id, calculated_at, priority, rule_version, score, previous_score, base_points, email_points, phone_points, name_points,
    reply_points, click_points, open_points, source_points, utm_points, age_points, domain_points, website_points, demo_points,
    pricing_points, cap_points, model_points, bot_events)
  SELECT
    lead_id, @as_of, priority, @rule_version, score, previous_score, base_points, email_points, phone_points, name_points,
    reply_points, click_points, open_points, source_points, utm_points, age_points, domain_points, website_points, demo_points,
    pricing_points, cap_points, model_points, bot_events
  FROM changed
)
SELECT
  (SELECT count(*) FROM leads WHERE lead_id BETWEEN @first AND @last) AS evaluated,
  count(*) AS changed,
  count(*) FILTER (WHERE score > previous_score) AS up,
  count(*) FILTER (WHERE score < previous_score) AS down,
  count(*) FILTER (WHERE previous_score IS NULL) AS first_scored
FROM changed
