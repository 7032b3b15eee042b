-- When leads are best contacted: what was tried and answered, what is believed about each hour of the week, which of it is in use, and what it
-- has gained. docs/timing.md has the model; here are its facts, its results and the one function that others ask: contact_slot.

-- Where the use of learned hours stands; one row.
CREATE TABLE timing_state (
  singleton boolean PRIMARY KEY DEFAULT true CHECK (singleton),
  state varchar(16) NOT NULL DEFAULT 'learning' CHECK (state IN ('learning', 'ready', 'fallback')),
  reason varchar(32),
  active boolean NOT NULL DEFAULT false,
  week date,
  analyzed_at timestamptz,
  analysis_days int,
  min_data_points int,
  attempts bigint,
  applied_since timestamptz,
  fallback_since timestamptz,
  treated_leads bigint,
  treated_rate double precision,
  control_leads bigint,
  control_rate double precision,
  difference double precision,
  difference_low double precision,
  difference_high double precision,
  ratio double precision,
  ratio_low double precision,
  ratio_high double precision
);
INSERT INTO timing_state DEFAULT VALUES;
COMMENT ON TABLE timing_state IS 'what timing analyze concluded last, and whether learned hours are in use';
COMMENT ON COLUMN timing_state.state IS
  'learning = nothing credible yet; ready = learned hours may be used; fallback = they gained nothing, plain windows for four weeks';
COMMENT ON COLUMN timing_state.reason IS 'thin_data, no_effect, lift_not_positive; null when ready';
COMMENT ON COLUMN timing_state.active IS 'set by timing apply: contact_slot answers with learned hours';
COMMENT ON COLUMN timing_state.week IS 'Monday of the week of the analysis: who explores, and the seed of the draws';
COMMENT ON COLUMN timing_state.treated_rate IS 'mean over leads of the share of their attempts that were answered, since applied_since';
COMMENT ON COLUMN timing_state.difference IS 'treated_rate - control_rate, with its 90 % interval; ratio: treated_rate / control_rate';

-- What was tried and answered in the days of the last analysis.
CREATE TABLE timing_counts (
  segment varchar(64) NOT NULL,
  channel varchar(16) NOT NULL,
  weekday smallint NOT NULL,
  hour smallint NOT NULL,
  leads int NOT NULL,
  attempts int NOT NULL,
  answered double precision NOT NULL,
  PRIMARY KEY (segment, channel, weekday, hour)
);
COMMENT ON TABLE timing_counts IS 'contact attempts by segment, channel, ISO weekday and hour of the lead''s own clock';
COMMENT ON COLUMN timing_counts.answered IS 'each lead counts once a cell: the sum over leads of the share of its attempts there that were answered';

CREATE TABLE timing_gaps (
  segment varchar(64) NOT NULL,
  days smallint NOT NULL,
  contacts int NOT NULL,
  answered int NOT NULL,
  expected double precision NOT NULL,
  PRIMARY KEY (segment, days)
);
COMMENT ON TABLE timing_gaps IS 'contacts made so many days after one that was not answered';
COMMENT ON COLUMN timing_gaps.expected IS 'answers that the rates of segment and channel let expect, whatever the days';

-- What is believed.
CREATE TABLE timing_profiles (
  segment varchar(64) NOT NULL,
  channel varchar(16) NOT NULL,
  leads double precision NOT NULL,
  answered double precision NOT NULL,
  plain_rate double precision NOT NULL,
  credible boolean NOT NULL,
  PRIMARY KEY (segment, channel)
);
COMMENT ON TABLE timing_profiles IS 'a segment''s hours on a channel; segment * is for leads whose own segment has none';
COMMENT ON COLUMN timing_profiles.plain_rate IS 'rate of answers that plain windows reach';

CREATE TABLE timing_slots (
  segment varchar(64) NOT NULL,
  channel varchar(16) NOT NULL,
  weekday smallint NOT NULL,
  hour smallint NOT NULL,
  leads double precision NOT NULL,
  rate double precision NOT NULL,
  rate_low double precision NOT NULL,
  rate_high double precision NOT NULL,
  credible boolean NOT NULL,
  draws real[] NOT NULL,
  PRIMARY KEY (segment, channel, weekday, hour)
);
COMMENT ON TABLE timing_slots IS 'what is believed about each hour of the week of a profile, on the lead''s own clock';
COMMENT ON COLUMN timing_slots.rate IS 'posterior mean of the rate of answers, with its 90 % interval';
COMMENT ON COLUMN timing_slots.credible IS 'better than plain_rate with a probability of 95 %';
COMMENT ON COLUMN timing_slots.draws IS 'drawn from the posterior; an exploring lead goes by one of them (Thompson sampling)';

CREATE TABLE timing_intervals (
  segment varchar(64) PRIMARY KEY,
  interval_days smallint NOT NULL,
  contacts double precision NOT NULL,
  gain double precision NOT NULL,
  gain_low double precision NOT NULL,
  gain_high double precision NOT NULL,
  credible boolean NOT NULL
);
COMMENT ON TABLE timing_intervals IS 'days from one contact to the next follow-up, by segment; * is for leads whose own segment has none';
COMMENT ON COLUMN timing_intervals.gain IS 'answers after these days against those after the plain three, cost of waiting included; 90 % interval';

-- What it has gained, week by week.
CREATE TABLE timing_lift (
  week_start date PRIMARY KEY,
  treated_leads bigint NOT NULL,
  treated_rate double precision NOT NULL,
  control_leads bigint NOT NULL,
  control_rate double precision NOT NULL,
  difference double precision,
  difference_low double precision,
  difference_high double precision,
  ratio double precision,
  ratio_low double precision,
  ratio_high double precision
);
COMMENT ON TABLE timing_lift IS 'rate of answers of treated leads and of the random control, by week (Monday, UTC) in which learned hours were in use';
COMMENT ON COLUMN timing_lift.treated_rate IS 'mean over leads of the share of their attempts that were answered';
COMMENT ON COLUMN timing_lift.difference IS 'treated_rate - control_rate with its 90 % interval; null below 30 leads in either arm';

-- What was moved, from where to where: so that it is moved once, can be moved back, and can be explained.
CREATE TABLE timing_moves (
  kind varchar(16) NOT NULL CHECK (kind IN ('task', 'followup', 'message')),
  id bigint NOT NULL,
  lead_ext_id varchar(128) NOT NULL REFERENCES leads (ext_id) ON UPDATE CASCADE ON DELETE CASCADE,
  plain_at timestamptz NOT NULL,
  moved_to timestamptz NOT NULL,
  moved_at timestamptz NOT NULL DEFAULT sales_now(),
  PRIMARY KEY (kind, id)
);
CREATE INDEX idx_timing_moves_lead ON timing_moves (lead_ext_id);
COMMENT ON TABLE timing_moves IS 'what timing set; a value that differs from moved_to was changed by somebody since and is theirs';
COMMENT ON COLUMN timing_moves.id IS 'in sales_followup_tasks (due_date), sales_pipeline (next_followup_at) or outbox_messages (not_before)';

ALTER TABLE lead_contact_timing ADD COLUMN set_by varchar(16);
COMMENT ON COLUMN lead_contact_timing.set_by IS 'timing = timing apply, which also takes it back; null = a person''s, which stays';

-- Campaign events are looked up by lead or execution so far; an analysis reads the last months of all of them.
CREATE INDEX idx_campaign_events_created ON sales_campaign_events USING brin (created_at) WITH (pages_per_range = 32, autosummarize = on);

-- Whose habits a lead shares: its industry. Stable, and no protected attribute.
CREATE FUNCTION timing_segment(p_industry text) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$ SELECT coalesce(nullif(nullif(lower(btrim(p_industry)), ''), '*'), 'none') $$;

-- Uniform in 0 to 2^28 - 1, the same everywhere and for ever.
CREATE FUNCTION timing_hash(p_text text) RETURNS int
LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$ SELECT ('x' || substr(md5('salestasks.timing.' || p_text), 1, 7))::bit(28)::int $$;

-- One lead in twenty is the control: it gets plain windows for ever, and the others are measured against it.
CREATE FUNCTION contact_arm(p_lead_ext_id text) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$ SELECT CASE WHEN timing_hash('arm/' || p_lead_ext_id) % 1000 < 50 THEN 'control' ELSE 'treated' END $$;

-- One of the other leads in ten explores, others every week.
CREATE FUNCTION contact_explores(p_lead_ext_id text, p_week date) RETURNS boolean
LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$ SELECT timing_hash('explore/' || (p_week - date '2000-01-03')::text || '/' || p_lead_ext_id) % 1000 < 100 $$;

-- Contact attempts from p_since on whose window for an answer was over by p_as_of, each once: a campaign's message is told by its event, a call
-- request by its message, and what is left by the completed task. Attempts of one lead on one channel within an hour of the one before are one
-- (a call tried twice, a task ticked off after its message).
-- Answered: a reply or a meeting before the lead's next attempt, within 48 hours of an e-mail and 24 hours of a call; a call also when it was
-- picked up. Bots never count. days_since_contact is null after a contact that was answered, on the same day, and where there was none in 15 days.
CREATE FUNCTION contact_attempts(p_since timestamptz, p_as_of timestamptz)
RETURNS TABLE (lead_ext_id varchar, channel text, attempted_at timestamptz, days_since_contact int, answered boolean)
LANGUAGE sql STABLE
AS $$
  WITH told AS (
    SELECT
      e.lead_ext_id, CASE e.event_type WHEN 'call_made' THEN 'call' ELSE 'email' END AS channel, coalesce(e.executed_at, e.created_at) AS at,
      false AS answered
    FROM sales_campaign_events e
    WHERE e.event_type IN ('email_sent', 'call_made') AND e.status IN ('sent', 'delivered', 'completed')
      AND e.created_at >= p_since - interval '45 days' AND coalesce(e.executed_at, e.created_at) >= p_since - interval '15 days'
      AND coalesce(e.executed_at, e.created_at) <= p_as_of
    UNION ALL
    SELECT m.lead_ext_id, m.channel, m.sent_at, coalesce(t.metadata ->> 'outcome' IN ('answered', 'replied'), false)
    FROM outbox_messages m
    LEFT JOIN sales_followup_tasks t
      ON t.id = CASE WHEN m.idempotency_key ~ '^followup-call/[0-9]{1,18}$' THEN split_part(m.idempotency_key, '/', 2)::bigint END
    WHERE m.reaches_lead AND m.status = 'sent' AND m.campaign_event_id IS NULL
      AND m.created_at >= p_since - interval '45 days' AND m.sent_at >= p_since - interval '15 days' AND m.sent_at <= p_as_of
    UNION ALL
    SELECT t.lead_ext_id, t.task_type, t.completed_at, coalesce(t.metadata ->> 'outcome' IN ('answered', 'replied'), false)
    FROM sales_followup_tasks t
    WHERE t.completed_at >= p_since - interval '15 days' AND t.completed_at <= p_as_of AND t.task_type IN ('email', 'call')
      AND NOT EXISTS (SELECT FROM outbox_messages m WHERE m.idempotency_key = 'followup-call/' || t.id AND m.status = 'sent')
  ), burst AS (
    SELECT o.*, count(*) FILTER (WHERE o.apart) OVER (PARTITION BY o.lead_ext_id, o.channel ORDER BY o.at) AS burst
    FROM (
      SELECT t.*, coalesce(t.at - lag(t.at) OVER (PARTITION BY t.lead_ext_id, t.channel ORDER BY t.at) >= interval '1 hour', true) AS apart
      FROM told t
    ) AS o
  ), happened AS (
    -- At one instant the attempt comes before its answer.
    SELECT b.lead_ext_id, 'attempt' AS kind, 0 AS place, b.channel, min(b.at) AS at, bool_or(b.answered) AS answered
    FROM burst b
    GROUP BY b.lead_ext_id, b.channel, b.burst
    UNION ALL
    SELECT g.lead_ext_id, 'reply', 1, NULL, g.occurred_at, NULL
    FROM lead_engagement_events g
    WHERE g.event_type = 'reply' AND NOT g.is_bot AND g.occurred_at >= p_since - interval '15 days' AND g.occurred_at <= p_as_of
    UNION ALL
    SELECT e.lead_ext_id, CASE e.event_type WHEN 'call_answered' THEN 'picked_up' ELSE 'reply' END, 1, NULL, coalesce(e.executed_at, e.created_at), NULL
    FROM sales_campaign_events e
    WHERE e.event_type IN ('email_replied', 'call_answered', 'meeting_scheduled') AND e.status IN ('sent', 'delivered', 'completed')
      AND e.created_at >= p_since - interval '45 days' AND coalesce(e.executed_at, e.created_at) <= p_as_of
    UNION ALL
    SELECT h.lead_ext_id, 'reply', 1, NULL, h.changed_at, NULL
    FROM sales_stage_history h
    WHERE h.to_stage = 'meeting_scheduled' AND h.from_stage < h.to_stage AND h.changed_at >= p_since - interval '15 days' AND h.changed_at <= p_as_of
  ), seen AS (
    -- Backwards in time, so that what comes next is what was met before: one pass over a lead instead of a look-up an attempt.
    SELECT
      h.*,
      h.at + CASE h.channel WHEN 'call' THEN interval '24 hours' ELSE interval '48 hours' END AS until,
      min(h.at) FILTER (WHERE h.kind = 'reply') OVER later AS reply_at,
      min(h.at) FILTER (WHERE h.kind = 'picked_up') OVER later AS picked_up_at,
      min(h.at) FILTER (WHERE h.kind = 'attempt') OVER later AS next_at,
      min(h.at) FILTER (WHERE h.kind = 'attempt' AND h.channel = 'call') OVER later AS next_call_at
    FROM happened h
    WINDOW later AS (
      PARTITION BY h.lead_ext_id ORDER BY h.at DESC, h.place DESC, h.channel ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING)
  ), judged AS (
    SELECT
      a.lead_ext_id, a.channel, a.at, a.until,
      lag(a.at) OVER (PARTITION BY a.lead_ext_id ORDER BY a.at, a.channel DESC) AS before_at,
      a.answered OR coalesce(a.reply_at < least(a.until, a.next_at), false)
        OR (a.channel = 'call' AND coalesce(a.picked_up_at < least(a.until, a.next_call_at), false)) AS answered
    FROM seen a
    WHERE a.kind = 'attempt'
  )
  SELECT
    q.lead_ext_id, q.channel, q.at,
    CASE WHEN NOT q.answered_before AND q.at - q.before_at >= interval '12 hours' AND q.at - q.before_at < interval '15 days'
      THEN round(extract(epoch FROM q.at - q.before_at) / 86400)::int END,
    q.answered
  FROM (
    SELECT j.*, lag(j.answered) OVER (PARTITION BY j.lead_ext_id ORDER BY j.at, j.channel DESC) AS answered_before FROM judged j
  ) AS q
  WHERE q.at >= p_since AND q.until <= p_as_of
$$;

-- The best learned instant to contact a lead from p_earliest on, at most so many working days later: p_earliest itself where nothing is learned
-- or used, for the control, and for a lead that nobody has contacted yet (speed comes first). Within the house's window on the lead's clock,
-- within p_days, p_start and p_end on the same clock where given (a campaign's own window), and where a rep does it (p_by_rep; null: calls)
-- within the rep's working hours on the rep's clock and not in an absence.
-- A day of waiting costs 3 % of the answers: a later hour has to be worth it. Within its hour each lead has a place of its own, so that not all
-- are due at the stroke.
CREATE FUNCTION contact_slot(
  p_lead_ext_id varchar, p_channel varchar, p_earliest timestamptz, p_working_days int, p_by_rep boolean DEFAULT NULL, p_days int[] DEFAULT NULL,
  p_start time DEFAULT NULL, p_end time DEFAULT NULL
) RETURNS timestamptz
LANGUAGE plpgsql STABLE SET search_path FROM CURRENT
AS $$
DECLARE
  v_slot timestamptz;
BEGIN
  SELECT CASE WHEN c.opens = p_earliest THEN p_earliest ELSE date_trunc('second', c.opens + (c.closes - c.opens) * k.place) END INTO v_slot
  FROM timing_state t
  CROSS JOIN sending_policy y
  JOIN leads l ON l.ext_id = p_lead_ext_id
  JOIN sales_pipeline p ON p.lead_ext_id = l.ext_id AND p.first_contact_at IS NOT NULL
  LEFT JOIN time_zones z ON z.name = l.time_zone
  LEFT JOIN sales_reps r ON coalesce(p_by_rep, p_channel = 'call') AND r.email = p.assigned_to
  CROSS JOIN LATERAL (
    SELECT
      coalesce(z.name, y.default_time_zone) AS zone, p_earliest AT TIME ZONE coalesce(z.name, y.default_time_zone) AS local,
      contact_explores(p_lead_ext_id, t.week) AS explores, 1 + timing_hash('draw/' || p_lead_ext_id) % 8 AS draw,
      timing_hash('place/' || p_lead_ext_id) % 900 / 1000.0::double precision AS place
    OFFSET 0
  ) AS k
  JOIN timing_profiles f ON f.credible AND f.channel = p_channel AND f.segment = coalesce(
    (SELECT o.segment FROM timing_profiles o WHERE o.segment = timing_segment(l.industry) AND o.channel = p_channel), '*')
  CROSS JOIN LATERAL (
    SELECT (k.local + make_interval(days => n)) AT TIME ZONE k.zone AS latest, (k.local + make_interval(days => n))::date AS day
    FROM generate_series(1, 21) AS n
    WHERE extract(isodow FROM k.local + make_interval(days => n))::int = ANY (y.window_days)
    ORDER BY n
    OFFSET p_working_days - 1 LIMIT 1
  ) AS bound
  JOIN timing_slots s ON s.segment = f.segment AND s.channel = p_channel AND (s.credible OR k.explores)
    AND s.weekday = ANY (y.window_days) AND (p_days IS NULL OR s.weekday = ANY (p_days))
  CROSS JOIN LATERAL (
    SELECT k.local::date + (s.weekday - extract(isodow FROM k.local)::int + 7) % 7 AS day OFFSET 0
  ) AS d
  CROSS JOIN LATERAL (
    SELECT ((d.day + make_interval(hours => s.hour)) AT TIME ZONE k.zone AT TIME ZONE coalesce(r.time_zone, k.zone))::date AS rep_day OFFSET 0
  ) AS e
  CROSS JOIN LATERAL (
    SELECT
      greatest(
        p_earliest, (d.day + make_interval(hours => s.hour)) AT TIME ZONE k.zone, (d.day + y.window_start) AT TIME ZONE k.zone,
        (d.day + p_start) AT TIME ZONE k.zone, (e.rep_day + r.work_start) AT TIME ZONE r.time_zone) AS opens,
      least(
        bound.latest, (d.day + make_interval(hours => s.hour + 1)) AT TIME ZONE k.zone, (d.day + y.window_end) AT TIME ZONE k.zone,
        (d.day + p_end) AT TIME ZONE k.zone, (e.rep_day + r.work_end) AT TIME ZONE r.time_zone) AS closes
    OFFSET 0
  ) AS c
  CROSS JOIN LATERAL (
    SELECT CASE WHEN k.explores THEN s.draws[k.draw] ELSE s.rate END
      * power(0.97::double precision, extract(epoch FROM c.opens - p_earliest)::double precision / 86400) AS worth
  ) AS w
  WHERE t.active AND contact_arm(p_lead_ext_id) = 'treated' AND c.opens < c.closes
    -- What the calendar alone rules out is not converted between zones.
    AND d.day <= bound.day AND d.day + make_interval(hours => s.hour + 1) > k.local
    AND (k.explores OR w.worth > f.plain_rate)
    AND (r.email IS NULL OR (extract(isodow FROM e.rep_day)::int = ANY (r.work_days) AND NOT EXISTS (
      SELECT FROM sales_rep_absences a
      WHERE a.rep_email = r.email AND a.starts_at < c.closes AND (a.ends_at IS NULL OR a.ends_at > c.opens))))
  ORDER BY w.worth DESC, c.opens
  LIMIT 1;
  RETURN coalesce(v_slot, p_earliest);
END
$$;

COMMENT ON FUNCTION contact_slot(varchar, varchar, timestamptz, int, boolean, int[], time, time) IS
  'the learned instant to contact a lead, from p_earliest on and at most p_working_days later; p_earliest where nothing is learned';

-- As in 0011, and: a follow-up that was put off to a learned time is waited for. The rule of so many days without contact would bring it
-- forward again.
CREATE OR REPLACE FUNCTION followup_decisions(p_pipeline_ids bigint[], p_as_of timestamptz, p_days int)
RETURNS TABLE (
  pipeline_id bigint, decision text, stage pipeline_stage, template varchar, meeting_at timestamptz, priority priority_level, score int,
  template_priority priority_level, needed_at timestamptz, open_task_id bigint, due_at timestamptz, silent_since timestamptz
)
LANGUAGE sql STABLE
AS $$
  SELECT
    p.id,
    CASE
      WHEN p.stage >= 'closed_won' THEN 'closed'
      WHEN f.template IS NULL THEN 'no_template'
      WHEN t.own_open OR t.same_open THEN 'has_task'
      WHEN EXISTS (SELECT FROM pipeline_outcomes o WHERE o.lead_ext_id = p.lead_ext_id AND o.happened_at <= p_as_of) THEN 'waiting'
      WHEN n.needed_at <= p_as_of THEN 'needed'
      ELSE 'later'
    END,
    p.stage, f.template, m.meeting_at, p.priority, p.score, f.priority, n.needed_at, t.own_open_id,
    CASE WHEN p.next_followup_at > p_as_of THEN p.next_followup_at ELSE 'infinity' END,
    CASE WHEN NOT t.any_open AND NOT learned.waits THEN greatest(p.last_contact_at, t.refused_at) ELSE t.refused_at END
  FROM sales_pipeline p
  CROSS JOIN LATERAL (
    SELECT CASE WHEN p.stage = 'meeting_scheduled' THEN deal_meeting_at(p.id, p.metadata, p_as_of) END AS meeting_at OFFSET 0
  ) AS m
  LEFT JOIN LATERAL (
    SELECT f.template, f.task_type, f.priority
    FROM followup_templates f
    WHERE f.stage = p.stage AND (NOT f.after_meeting OR m.meeting_at <= p_as_of)
    ORDER BY f.after_meeting DESC
    LIMIT 1
  ) AS f ON true
  CROSS JOIN LATERAL (
    SELECT
      coalesce(bool_or(t.status IN ('pending', 'in_progress')), false) AS any_open,
      coalesce(bool_or(t.status IN ('pending', 'in_progress') AND t.followup_stage = p.stage), false) AS own_open,
      max(t.id) FILTER (WHERE t.status IN ('pending', 'in_progress') AND t.followup_stage = p.stage) AS own_open_id,
      coalesce(bool_or(t.status IN ('pending', 'in_progress') AND t.followup_stage IS NULL AND t.task_type = f.task_type), false) AS same_open,
      max(t.updated_at) FILTER (
        WHERE t.status IN ('skipped', 'cancelled') AND t.followup_stage = p.stage AND t.metadata -> 'closed_because' IS NULL) AS refused_at
    FROM sales_followup_tasks t
    WHERE t.pipeline_id = p.id
    OFFSET 0
  ) AS t
  CROSS JOIN LATERAL (
    SELECT (p.next_followup_at > p_as_of AND (
      EXISTS (SELECT FROM timing_moves v WHERE v.kind = 'followup' AND v.id = p.id AND v.moved_to = p.next_followup_at)
      OR EXISTS (
        SELECT FROM lead_contact_timing c
        WHERE c.lead_ext_id = p.lead_ext_id AND p.next_followup_at = p.last_contact_at + interval '1 day' * c.interval_days::double precision
      ))) IS TRUE AS waits
    OFFSET 0
  ) AS learned
  CROSS JOIN LATERAL (
    SELECT greatest(
      least(
        p.next_followup_at,
        CASE WHEN NOT t.any_open AND NOT learned.waits THEN coalesce(p.last_contact_at + make_interval(days => p_days), '-infinity') END),
      t.refused_at + make_interval(days => p_days)) AS needed_at
    OFFSET 0
  ) AS n
  WHERE p.id = ANY (p_pipeline_ids)
$$;
