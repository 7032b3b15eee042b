-- Follow-up: what a lead's stage asks for, when a deal has to be looked at, and what has happened that moves it on.
--
-- Two lists drive the jobs, both append-only and filled by triggers: writers never wait for each other or for a job, a job deletes what it
-- has seen, and what commits during a run or out of order keeps its row. So the cost of a run follows what changed, whoever changed it.

-- Bulk loads of history say SET LOCAL salestasks.history = 'on': what happened long ago is stored, not acted upon.

-- What each stage asks for. Data, so that a company can have its own; due_after counts from the run that makes the task.
CREATE TABLE followup_templates (
  template varchar(32) PRIMARY KEY CHECK (template ~ '^[a-z0-9_]+$'),
  stage pipeline_stage NOT NULL CHECK (stage < 'closed_won'),
  after_meeting boolean NOT NULL DEFAULT false,
  task_type varchar(16) NOT NULL CHECK (task_type IN ('email', 'call', 'meeting', 'proposal', 'custom')),
  priority priority_level NOT NULL DEFAULT 'medium',
  due_after interval NOT NULL DEFAULT '0' CHECK (due_after >= interval '0'),
  due_before_meeting interval CHECK (due_before_meeting > interval '0'),
  UNIQUE (stage, after_meeting),
  CHECK (stage = 'meeting_scheduled' OR (NOT after_meeting AND due_before_meeting IS NULL))
);
COMMENT ON TABLE followup_templates IS 'the task each stage asks for; a stage without a row gets none';
COMMENT ON COLUMN followup_templates.after_meeting IS 'used instead of the stage''s other row once the meeting is over';
COMMENT ON COLUMN followup_templates.due_before_meeting IS 'due this long before the meeting, never in the past; where no time is known due_after counts';

CREATE TABLE followup_template_texts (
  template varchar(32) NOT NULL REFERENCES followup_templates (template) ON UPDATE CASCADE ON DELETE CASCADE,
  language varchar(16) NOT NULL CHECK (language ~ '^[a-z]{2,3}$'),
  title text NOT NULL CHECK (title ~ '[^[:space:]]'),
  description text NOT NULL DEFAULT '',
  PRIMARY KEY (template, language)
);
COMMENT ON COLUMN followup_template_texts.language IS 'what stands before the hyphen in leads.language: es for es-MX';

CREATE TABLE followup_settings (
  singleton boolean PRIMARY KEY DEFAULT true CHECK (singleton),
  default_language varchar(16) NOT NULL DEFAULT 'en' CHECK (default_language ~ '^[a-z]{2,3}$')
);
INSERT INTO followup_settings DEFAULT VALUES;
COMMENT ON COLUMN followup_settings.default_language IS 'for leads whose language is not given or has no text';

INSERT INTO followup_templates (template, stage, after_meeting, task_type, priority, due_after, due_before_meeting) VALUES
  ('first_contact', 'qualified', false, 'email', 'high', '0', NULL),
  ('follow_up_call', 'contacted', false, 'call', 'medium', '24 hours', NULL),
  ('meeting_preparation', 'meeting_scheduled', false, 'email', 'high', '0', '24 hours'),
  ('meeting_follow_up', 'meeting_scheduled', true, 'email', 'high', '0', NULL),
  ('proposal_call', 'proposal_sent', false, 'call', 'high', '48 hours', NULL),
  ('negotiation', 'negotiating', false, 'email', 'urgent', '24 hours', NULL);

INSERT INTO followup_template_texts (template, language, title, description) VALUES
  ('first_contact', 'en', 'First contact',
   'Write to the lead: who you are, why you write, and one question that is easy to answer. The sooner after qualification, the likelier an answer.'),
  ('first_contact', 'es', 'Primer contacto',
   'Escribe al lead: quién eres, por qué escribes y una pregunta fácil de responder. Cuanto antes tras la calificación, más probable es la respuesta.'),
  ('follow_up_call', 'en', 'Follow-up call',
   'Call to learn what the lead needs, who decides and by when, and agree on a meeting.'),
  ('follow_up_call', 'es', 'Llamada de seguimiento',
   'Llama para saber qué necesita el lead, quién decide y para cuándo, y acuerda una reunión.'),
  ('meeting_preparation', 'en', 'Meeting preparation',
   'Send the agenda and confirm time, place and participants; ask what should not be missing.'),
  ('meeting_preparation', 'es', 'Preparación de la reunión',
   'Envía el orden del día y confirma hora, lugar y participantes; pregunta qué no debería faltar.'),
  ('meeting_follow_up', 'en', 'After the meeting',
   'Thank for the meeting, put down what was agreed, and name the next step with a date.'),
  ('meeting_follow_up', 'es', 'Después de la reunión',
   'Agradece la reunión, resume lo acordado y propone el siguiente paso con fecha.'),
  ('proposal_call', 'en', 'Call about the proposal',
   'Ask whether the proposal arrived and what is unclear; find out how and when it will be decided.'),
  ('proposal_call', 'es', 'Llamada sobre la propuesta',
   'Pregunta si llegó la propuesta y qué no queda claro; averigua cómo y cuándo se decidirá.'),
  ('negotiation', 'en', 'Move the negotiation forward',
   'Write to settle what is still open, with one clear offer and the date until which it holds.'),
  ('negotiation', 'es', 'Avanzar la negociación',
   'Escribe para cerrar lo que queda abierto, con una oferta clara y la fecha hasta la que vale.');

-- One open task a deal and stage: the index, and not the care of a program, makes a second one impossible. It covers the tasks made here
-- alone; what people insert has no followup_stage and is never refused.
ALTER TABLE sales_followup_tasks ADD COLUMN followup_stage pipeline_stage;
COMMENT ON COLUMN sales_followup_tasks.followup_stage IS 'the stage that followup create-tasks made it for; null = a person''s';
CREATE UNIQUE INDEX idx_tasks_one_open_per_stage ON sales_followup_tasks (pipeline_id, followup_stage)
WHERE followup_stage IS NOT NULL AND status IN ('pending', 'in_progress');

-- A task that a person opens again, or moves to another deal, is theirs from then on: meanwhile there may be another one for the stage.
CREATE FUNCTION followup_task_becomes_theirs() RETURNS trigger
LANGUAGE plpgsql SET search_path FROM CURRENT
AS $$
BEGIN
  NEW.followup_stage := NULL;
  RETURN NEW;
END
$$;

CREATE TRIGGER sales_followup_tasks_reopened BEFORE UPDATE OF status, pipeline_id ON sales_followup_tasks
FOR EACH ROW WHEN (
  NEW.followup_stage IS NOT NULL
  AND ((NEW.status IN ('pending', 'in_progress') AND OLD.status NOT IN ('pending', 'in_progress')) OR NEW.pipeline_id <> OLD.pipeline_id))
EXECUTE FUNCTION followup_task_becomes_theirs();

-- Deals to look at: at due_at (-infinity: at once), or once nobody has had contact since silent_since for as many days as a run asks for.
CREATE TABLE followup_checks (
  id bigint GENERATED ALWAYS AS IDENTITY (CACHE 100) PRIMARY KEY,
  pipeline_id bigint NOT NULL,
  due_at timestamptz NOT NULL DEFAULT '-infinity',
  silent_since timestamptz
) WITH (autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_threshold = 1000);
CREATE INDEX idx_followup_checks_due ON followup_checks (due_at);
CREATE INDEX idx_followup_checks_silent ON followup_checks (silent_since) WHERE silent_since IS NOT NULL;
CREATE INDEX idx_followup_checks_pipeline ON followup_checks (pipeline_id);

-- What happened and is not yet seen in its deal: a task was completed, a campaign's message went out, a lead replied.
CREATE TABLE pipeline_outcomes (
  id bigint GENERATED ALWAYS AS IDENTITY (CACHE 100) PRIMARY KEY,
  kind varchar(16) NOT NULL CHECK (kind IN ('task', 'event', 'reply')),
  source_id bigint NOT NULL,
  lead_ext_id varchar(128) NOT NULL,
  happened_at timestamptz NOT NULL
) WITH (autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_threshold = 1000);
CREATE INDEX idx_pipeline_outcomes_lead ON pipeline_outcomes (lead_ext_id);
COMMENT ON COLUMN pipeline_outcomes.source_id IS 'id in sales_followup_tasks, sales_campaign_events or lead_engagement_events';

-- Deals: new ones, and changes of what decides whether they need follow-up.
CREATE FUNCTION check_new_deals() RETURNS trigger
LANGUAGE plpgsql SET search_path FROM CURRENT
AS $$
BEGIN
  INSERT INTO followup_checks (pipeline_id) SELECT a.id FROM added a WHERE a.stage < 'closed_won';
  RETURN NULL;
END
$$;

CREATE TRIGGER sales_pipeline_check_new AFTER INSERT ON sales_pipeline
REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION check_new_deals();

CREATE FUNCTION check_deal() RETURNS trigger
LANGUAGE plpgsql SET search_path FROM CURRENT
AS $$
BEGIN
  INSERT INTO followup_checks (pipeline_id) VALUES (NEW.id);
  RETURN NULL;
END
$$;

CREATE TRIGGER sales_pipeline_check AFTER UPDATE OF stage, last_contact_at, next_followup_at, metadata ON sales_pipeline
FOR EACH ROW WHEN (
  NEW.stage < 'closed_won'
  AND (NEW.stage <> OLD.stage OR NEW.last_contact_at IS DISTINCT FROM OLD.last_contact_at
    OR NEW.next_followup_at IS DISTINCT FROM OLD.next_followup_at
    OR NEW.metadata -> 'meeting_at' IS DISTINCT FROM OLD.metadata -> 'meeting_at'))
EXECUTE FUNCTION check_deal();

-- Tasks made here follow their deal: to its new rep, and out of the way when the stage they were made for is over. What a rep has begun
-- (in_progress) stays as it is.
CREATE FUNCTION followup_tasks_follow_deal() RETURNS trigger
LANGUAGE plpgsql SET search_path FROM CURRENT
AS $$
BEGIN
  IF NEW.stage <> OLD.stage THEN
    UPDATE sales_followup_tasks t
    SET status = CASE WHEN NEW.stage < 'closed_won' THEN 'skipped' ELSE 'cancelled' END,
        metadata = coalesce(t.metadata, '{}') || jsonb_build_object('closed_because', 'the deal is ' || NEW.stage),
        updated_at = sales_now()
    WHERE t.pipeline_id = NEW.id AND t.followup_stage <> NEW.stage AND t.status = 'pending';
  END IF;
  IF NEW.assigned_to IS DISTINCT FROM OLD.assigned_to THEN
    UPDATE sales_followup_tasks t
    SET assigned_to = NEW.assigned_to, updated_at = sales_now()
    WHERE t.pipeline_id = NEW.id AND t.followup_stage IS NOT NULL AND t.status = 'pending'
      AND t.assigned_to IS NOT DISTINCT FROM OLD.assigned_to;
  END IF;
  RETURN NULL;
END
$$;

CREATE TRIGGER sales_pipeline_followup_tasks AFTER UPDATE OF stage, assigned_to ON sales_pipeline
FOR EACH ROW WHEN (NEW.stage <> OLD.stage OR NEW.assigned_to IS DISTINCT FROM OLD.assigned_to)
EXECUTE FUNCTION followup_tasks_follow_deal();

-- Tasks: completed ones move their deal, closed ones let the next follow-up come, and meetings give preparations their time.
CREATE FUNCTION followup_tasks_inserted() RETURNS trigger
LANGUAGE plpgsql SET search_path FROM CURRENT
AS $$
BEGIN
  INSERT INTO pipeline_outcomes (kind, source_id, lead_ext_id, happened_at)
  SELECT 'task', a.id, a.lead_ext_id, a.completed_at FROM added a WHERE a.status = 'completed' AND a.task_type <> 'custom';

  INSERT INTO followup_checks (pipeline_id) SELECT a.pipeline_id FROM added a WHERE a.task_type = 'meeting' AND a.due_date IS NOT NULL;
  RETURN NULL;
END
$$;

CREATE TRIGGER sales_followup_tasks_inserted AFTER INSERT ON sales_followup_tasks
REFERENCING NEW TABLE AS added FOR EACH STATEMENT
WHEN (current_setting('salestasks.history', true) IS DISTINCT FROM 'on') EXECUTE FUNCTION followup_tasks_inserted();

CREATE FUNCTION followup_task_completed() RETURNS trigger
LANGUAGE plpgsql SET search_path FROM CURRENT
AS $$
BEGIN
  INSERT INTO pipeline_outcomes (kind, source_id, lead_ext_id, happened_at) VALUES ('task', NEW.id, NEW.lead_ext_id, NEW.completed_at);
  RETURN NULL;
END
$$;

CREATE TRIGGER sales_followup_tasks_completed AFTER UPDATE OF status ON sales_followup_tasks
FOR EACH ROW WHEN (NEW.status = 'completed' AND OLD.status <> 'completed' AND NEW.task_type <> 'custom')
EXECUTE FUNCTION followup_task_completed();

-- A message about the task that is still waiting has become pointless; one that a dispatcher holds right now is under way.
CREATE FUNCTION followup_task_closed() RETURNS trigger
LANGUAGE plpgsql SET search_path FROM CURRENT
AS $$
BEGIN
  INSERT INTO followup_checks (pipeline_id) VALUES (OLD.pipeline_id);
  IF OLD.followup_stage IS NOT NULL THEN
    UPDATE outbox_messages m
    SET status = 'cancelled', finished_at = sales_now(), reason = 'task_closed'
    FROM (
      SELECT id FROM outbox_messages
      WHERE idempotency_key IN ('followup-task/' || OLD.id, 'followup-call/' || OLD.id) AND status = 'pending'
      FOR UPDATE SKIP LOCKED
    ) AS waiting
    WHERE m.id = waiting.id;
  END IF;
  RETURN NULL;
END
$$;

CREATE TRIGGER sales_followup_tasks_closed AFTER UPDATE OF status ON sales_followup_tasks
FOR EACH ROW WHEN (OLD.status IN ('pending', 'in_progress') AND NEW.status NOT IN ('pending', 'in_progress'))
EXECUTE FUNCTION followup_task_closed();
CREATE TRIGGER sales_followup_tasks_deleted AFTER DELETE ON sales_followup_tasks
FOR EACH ROW WHEN (OLD.status IN ('pending', 'in_progress')) EXECUTE FUNCTION followup_task_closed();

CREATE FUNCTION followup_meeting_moved() RETURNS trigger
LANGUAGE plpgsql SET search_path FROM CURRENT
AS $$
BEGIN
  INSERT INTO followup_checks (pipeline_id) VALUES (NEW.pipeline_id);
  RETURN NULL;
END
$$;

CREATE TRIGGER sales_followup_tasks_meeting_moved AFTER UPDATE OF due_date, task_type, status ON sales_followup_tasks
FOR EACH ROW WHEN (
  'meeting' IN (OLD.task_type, NEW.task_type) AND (OLD.due_date, OLD.task_type, OLD.status) IS DISTINCT FROM (NEW.due_date, NEW.task_type, NEW.status))
EXECUTE FUNCTION followup_meeting_moved();

-- Campaign events, once they happened. Replies that pipeline advance itself writes down (they name their engagement event) are known.
CREATE FUNCTION campaign_events_inserted() RETURNS trigger
LANGUAGE plpgsql SET search_path FROM CURRENT
AS $$
BEGIN
  INSERT INTO pipeline_outcomes (kind, source_id, lead_ext_id, happened_at)
  SELECT 'event', a.id, a.lead_ext_id, coalesce(a.executed_at, a.created_at)
  FROM added a
  WHERE a.status IN ('sent', 'delivered', 'completed')
    AND a.event_type IN ('email_sent', 'email_replied', 'call_made', 'call_answered', 'meeting_scheduled', 'proposal_sent')
    AND a.metadata -> 'engagement_event_id' IS NULL;
  RETURN NULL;
END
$$;

CREATE TRIGGER sales_campaign_events_inserted AFTER INSERT ON sales_campaign_events
REFERENCING NEW TABLE AS added FOR EACH STATEMENT
WHEN (current_setting('salestasks.history', true) IS DISTINCT FROM 'on') EXECUTE FUNCTION campaign_events_inserted();

CREATE FUNCTION campaign_event_happened() RETURNS trigger
LANGUAGE plpgsql SET search_path FROM CURRENT
AS $$
BEGIN
  INSERT INTO pipeline_outcomes (kind, source_id, lead_ext_id, happened_at)
  VALUES ('event', NEW.id, NEW.lead_ext_id, coalesce(NEW.executed_at, sales_now()));
  RETURN NULL;
END
$$;

CREATE TRIGGER sales_campaign_events_happened AFTER UPDATE OF status, event_type ON sales_campaign_events
FOR EACH ROW WHEN (
  NEW.status IN ('sent', 'delivered', 'completed')
  AND NEW.event_type IN ('email_sent', 'email_replied', 'call_made', 'call_answered', 'meeting_scheduled', 'proposal_sent')
  AND (OLD.status NOT IN ('sent', 'delivered', 'completed') OR NEW.event_type <> OLD.event_type)
  AND NEW.metadata -> 'engagement_event_id' IS NULL)
EXECUTE FUNCTION campaign_event_happened();

-- A reply is written down once, however often its engagement event is taken up.
CREATE UNIQUE INDEX idx_campaign_events_reply ON sales_campaign_events ((metadata ->> 'engagement_event_id'))
WHERE event_type = 'email_replied' AND metadata -> 'engagement_event_id' IS NOT NULL;

-- Replies of people.
CREATE FUNCTION replies_inserted() RETURNS trigger
LANGUAGE plpgsql SET search_path FROM CURRENT
AS $$
BEGIN
  INSERT INTO pipeline_outcomes (kind, source_id, lead_ext_id, happened_at)
  SELECT 'reply', a.id, a.lead_ext_id, a.occurred_at FROM added a WHERE a.event_type = 'reply' AND NOT a.is_bot;
  RETURN NULL;
END
$$;

CREATE TRIGGER lead_engagement_replies_inserted AFTER INSERT ON lead_engagement_events
REFERENCING NEW TABLE AS added FOR EACH STATEMENT
WHEN (current_setting('salestasks.history', true) IS DISTINCT FROM 'on') EXECUTE FUNCTION replies_inserted();

CREATE FUNCTION reply_found() RETURNS trigger
LANGUAGE plpgsql SET search_path FROM CURRENT
AS $$
BEGIN
  INSERT INTO pipeline_outcomes (kind, source_id, lead_ext_id, happened_at) VALUES ('reply', NEW.id, NEW.lead_ext_id, NEW.occurred_at);
  RETURN NULL;
END
$$;

CREATE TRIGGER lead_engagement_reply_found AFTER UPDATE OF event_type, is_bot ON lead_engagement_events
FOR EACH ROW WHEN (NEW.event_type = 'reply' AND NOT NEW.is_bot AND (OLD.event_type <> 'reply' OR OLD.is_bot))
EXECUTE FUNCTION reply_found();

-- Other templates may ask for a task where none was asked for: every open deal is looked at again.
CREATE FUNCTION check_all_deals() RETURNS trigger
LANGUAGE plpgsql SET search_path FROM CURRENT
AS $$
BEGIN
  INSERT INTO followup_checks (pipeline_id) SELECT p.id FROM sales_pipeline p WHERE p.stage < 'closed_won';
  RETURN NULL;
END
$$;

CREATE TRIGGER followup_templates_changed AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON followup_templates
FOR EACH STATEMENT EXECUTE FUNCTION check_all_deals();

-- An ISO 8601 instant out of a text that anybody may have written; null where it is none. Without an offset it is UTC.
CREATE FUNCTION sales_instant(p_text text) RETURNS timestamptz
LANGUAGE plpgsql STABLE SET search_path FROM CURRENT SET timezone = 'UTC' SET datestyle = 'ISO, YMD'
AS $$
BEGIN
  IF p_text !~ '^\d{4}-\d{2}-\d{2}([T ]\d{2}:\d{2}(:\d{2}([.,]\d{1,9})?)?( ?(Z|[+-]\d{2}(:?\d{2})?))?)?$' THEN
    RETURN NULL;
  END IF;
  RETURN replace(p_text, ',', '.')::timestamptz;
EXCEPTION WHEN data_exception THEN
  RETURN NULL;
END
$$;

-- When the deal's meeting is: the next one after p_as_of among sales_pipeline.metadata.meeting_at and the due dates of its meeting tasks
-- (skipped and cancelled ones left out), else metadata.meeting_at in the past, else null. A due date in the past tells nothing: "arrange a
-- meeting until then" looks the same.
CREATE FUNCTION deal_meeting_at(p_pipeline_id bigint, p_metadata jsonb, p_as_of timestamptz) RETURNS timestamptz
LANGUAGE sql STABLE SET search_path FROM CURRENT
AS $$
  SELECT coalesce(
    least(
      CASE WHEN given.at > p_as_of THEN given.at END,
      (SELECT min(t.due_date) FROM sales_followup_tasks t
       WHERE t.pipeline_id = p_pipeline_id AND t.task_type = 'meeting' AND t.status NOT IN ('skipped', 'cancelled')
         AND t.due_date > p_as_of AND isfinite(t.due_date))),
    given.at)
  FROM (SELECT sales_instant(p_metadata ->> 'meeting_at') AS at) AS given
$$;

-- When a task made at p_as_of is due.
CREATE FUNCTION followup_due_at(p_as_of timestamptz, p_due_after interval, p_due_before_meeting interval, p_meeting_at timestamptz)
RETURNS timestamptz
LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$
  SELECT CASE
    WHEN p_due_before_meeting IS NOT NULL AND p_meeting_at IS NOT NULL THEN greatest(p_as_of, p_meeting_at - p_due_before_meeting)
    ELSE p_as_of + p_due_after
  END
$$;

-- What follow-up does with each of these deals, written once: create-tasks and its preview select from it.
--   closed, no_template  nothing
--   has_task             nothing before its task is closed: an open one made for the stage, or a person's of the same type
--   waiting              something happened that pipeline advance has not seen: the stage may be another one
--   needed               a task now
--   later                looked at again at due_at, or p_days after silent_since
-- Needed is what nobody ever contacted, what next_followup_at is due for, and what had no contact for p_days and has no open task; not within
-- p_days after a person skipped or cancelled the stage's task.
CREATE FUNCTION followup_decisions(p_pipeline_ids bigint[], p_as_of timestamptz, p_days int)
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
    CASE WHEN NOT t.any_open THEN greatest(p.last_contact_at, t.refused_at) ELSE t.refused_at END
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
    SELECT greatest(
      least(
        p.next_followup_at,
        CASE WHEN NOT t.any_open THEN coalesce(p.last_contact_at + make_interval(days => p_days), '-infinity') END),
      t.refused_at + make_interval(days => p_days)) AS needed_at
    OFFSET 0
  ) AS n
  WHERE p.id = ANY (p_pipeline_ids)
$$;

-- What happened, deal by deal: the stage it shows at least (null: none), and when. The ids are those of pipeline_outcomes; what is no longer
-- so (a task opened again, a reply found to be a bot's) shows nothing.
--   completed e-mail or call task, a call, a reply       contacted
--   completed meeting task, meeting event                meeting_scheduled
--   completed proposal task, proposal event              proposal_sent
--   a campaign's e-mail                                  contact, but no stage: the rep's own first contact is still to come
-- IS NOT TRUE: looked up by id, not through the index of all replies. A reply before the deal was qualified is what qualified it. A step back made after something happened stands against it.
CREATE FUNCTION pipeline_facts(p_tasks bigint[], p_events bigint[], p_replies bigint[], p_as_of timestamptz)
RETURNS TABLE (pipeline_id bigint, stage pipeline_stage, happened_at timestamptz, meeting_at timestamptz)
LANGUAGE sql STABLE
AS $$
  SELECT
    f.pipeline_id,
    CASE WHEN NOT EXISTS (
      SELECT FROM sales_stage_history h
      WHERE h.pipeline_id = f.pipeline_id AND h.changed_at >= f.happened_at AND h.to_stage < h.from_stage
    ) THEN f.stage END,
    f.happened_at,
    f.meeting_at
  FROM (
    SELECT
      t.pipeline_id,
      (CASE t.task_type WHEN 'meeting' THEN 'meeting_scheduled' WHEN 'proposal' THEN 'proposal_sent' ELSE 'contacted' END)::pipeline_stage AS stage,
      t.completed_at AS happened_at,
      CASE WHEN t.task_type = 'meeting' THEN sales_instant(t.metadata ->> 'meeting_at') END AS meeting_at
    FROM sales_followup_tasks t
    WHERE t.id = ANY (p_tasks) AND t.status = 'completed' AND t.task_type <> 'custom'
    UNION ALL
    SELECT
      p.id,
      (CASE e.event_type
        WHEN 'meeting_scheduled' THEN 'meeting_scheduled' WHEN 'proposal_sent' THEN 'proposal_sent' WHEN 'email_sent' THEN NULL ELSE 'contacted'
      END)::pipeline_stage,
      coalesce(e.executed_at, e.created_at),
      CASE WHEN e.event_type = 'meeting_scheduled' THEN sales_instant(e.metadata ->> 'meeting_at') END
    FROM sales_campaign_events e
    JOIN sales_pipeline p ON p.lead_ext_id = e.lead_ext_id
    WHERE e.id = ANY (p_events) AND e.status IN ('sent', 'delivered', 'completed')
      AND e.event_type IN ('email_sent', 'email_replied', 'call_made', 'call_answered', 'meeting_scheduled', 'proposal_sent')
    UNION ALL
    SELECT p.id, 'contacted', g.occurred_at, NULL
    FROM lead_engagement_events g
    JOIN sales_pipeline p ON p.lead_ext_id = g.lead_ext_id AND p.qualified_at <= g.occurred_at
    WHERE g.id = ANY (p_replies) AND g.event_type = 'reply' AND g.is_bot IS NOT TRUE
    -- Looked up by id alone: the condition on the instant would bring in the index of everything that was ever completed.
    OFFSET 0
  ) AS f
  WHERE isfinite(f.happened_at) AND f.happened_at <= p_as_of
$$;

-- Stops everything under way to these leads: executions that began by p_until, and the messages of theirs that wait. A message that a
-- dispatcher claims at this moment is passed over: it is judged by the claim. IS TRUE: looked up by lead, not through an index of all that
-- is under way.
CREATE FUNCTION stop_campaigns(p_lead_ext_ids varchar[], p_until timestamptz[], p_reason text) RETURNS bigint
LANGUAGE plpgsql SET search_path FROM CURRENT
AS $$
DECLARE
  v_stopped bigint[];
BEGIN
  WITH affected AS MATERIALIZED (
    SELECT x.id
    FROM sales_campaign_executions x
    JOIN (
      SELECT u.lead_ext_id, max(u.until) AS until FROM unnest(p_lead_ext_ids, p_until) AS u (lead_ext_id, until) GROUP BY u.lead_ext_id
    ) AS leads USING (lead_ext_id)
    WHERE (x.status IN ('active', 'paused')) IS TRUE AND x.started_at <= leads.until
    ORDER BY x.id
    FOR NO KEY UPDATE OF x
  ), stopped AS (
    UPDATE sales_campaign_executions x
    SET status = 'stopped', completed_at = sales_now(), next_action_at = NULL, updated_at = sales_now(),
        metadata = coalesce(x.metadata, '{}') || jsonb_build_object('stop_reason', p_reason)
    FROM affected a
    WHERE x.id = a.id
    RETURNING x.id
  )
  SELECT array_agg(id) INTO v_stopped FROM stopped;

  UPDATE outbox_messages m
  SET status = 'cancelled', finished_at = sales_now(), reason = p_reason
  FROM (
    SELECT id FROM outbox_messages WHERE execution_id = ANY (v_stopped) AND status = 'pending' ORDER BY id FOR UPDATE SKIP LOCKED
  ) AS waiting
  WHERE m.id = waiting.id;

  UPDATE sales_campaign_events e
  SET status = 'skipped'
  WHERE e.execution_id = ANY (v_stopped) AND e.status = 'queued'
    AND NOT EXISTS (SELECT FROM outbox_messages m WHERE m.campaign_event_id = e.id AND m.status IN ('pending', 'leased', 'sending', 'in_doubt'));
  RETURN coalesce(cardinality(v_stopped), 0);
END
$$;

-- Who said when whether a lead may be written to or called.
CREATE TABLE consent_changes (
  id bigint GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY,
  lead_ext_id varchar(128) NOT NULL REFERENCES leads (ext_id) ON UPDATE CASCADE ON DELETE CASCADE,
  channel varchar(16) NOT NULL CHECK (channel IN ('email', 'phone')),
  consent boolean,
  changed_at timestamptz NOT NULL DEFAULT sales_now(),
  changed_by text NOT NULL DEFAULT coalesce(nullif(current_setting('salestasks.actor', true), ''), session_user)
);
CREATE INDEX idx_consent_changes_lead ON consent_changes (lead_ext_id, changed_at);
COMMENT ON TABLE consent_changes IS 'every change of leads.consent_email and consent_phone, whoever made it';
COMMENT ON COLUMN consent_changes.changed_by IS 'the setting salestasks.actor of the session, else its database user';

CREATE FUNCTION record_consent_change() RETURNS trigger
LANGUAGE plpgsql SET search_path FROM CURRENT
AS $$
BEGIN
  IF NEW.consent_email IS DISTINCT FROM OLD.consent_email THEN
    INSERT INTO consent_changes (lead_ext_id, channel, consent) VALUES (NEW.ext_id, 'email', NEW.consent_email);
  END IF;
  IF NEW.consent_phone IS DISTINCT FROM OLD.consent_phone THEN
    INSERT INTO consent_changes (lead_ext_id, channel, consent) VALUES (NEW.ext_id, 'phone', NEW.consent_phone);
  END IF;
  RETURN NULL;
END
$$;

CREATE TRIGGER leads_consent_changed AFTER UPDATE OF consent_email, consent_phone ON leads
FOR EACH ROW WHEN (NEW.consent_email IS DISTINCT FROM OLD.consent_email OR NEW.consent_phone IS DISTINCT FROM OLD.consent_phone)
EXECUTE FUNCTION record_consent_change();

-- What the summaries of the last 24 hours look for.
CREATE INDEX idx_tasks_created ON sales_followup_tasks USING brin (created_at) WITH (pages_per_range = 32, autosummarize = on);
CREATE INDEX idx_tasks_completed ON sales_followup_tasks (completed_at) WHERE completed_at IS NOT NULL;
CREATE INDEX idx_engagement_replied ON lead_engagement_events (occurred_at) WHERE event_type = 'reply' AND NOT is_bot;
CREATE INDEX idx_outbox_created ON outbox_messages USING brin (created_at) WITH (pages_per_range = 32, autosummarize = on);
CREATE INDEX idx_outbox_summaries ON outbox_messages (created_at) WHERE purpose = 'summary';

INSERT INTO followup_checks (pipeline_id) SELECT id FROM sales_pipeline WHERE stage < 'closed_won';
