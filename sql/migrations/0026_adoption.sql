-- Taking over the rows of an installation that had tables of the same names (db adopt). The statements of sql/adoption read the old tables
-- through the views adopting_*, which are empty but while an adoption runs: their columns and types are fixed here, db adopt puts the old
-- table under them for the length of its transaction, whatever columns and types that one has.

CREATE TABLE adoptions (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  old_schema name NOT NULL,
  time_zone varchar(64) NOT NULL,
  started_at timestamptz NOT NULL,
  adopted_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  adopted_by text NOT NULL DEFAULT session_user,
  finished_at timestamptz
);
-- Once: what it takes over is then ours.
CREATE UNIQUE INDEX adoptions_one ON adoptions ((true));
COMMENT ON TABLE adoptions IS 'the adoption of an existing installation, if there was one';
COMMENT ON COLUMN adoptions.finished_at IS 'when the old tables were dropped (db adopt --finish); null = they are still in old_schema';

CREATE TABLE adoption_tables (
  table_name name PRIMARY KEY,
  old_rows bigint NOT NULL,
  adopted bigint NOT NULL,
  set_aside bigint NOT NULL,
  CHECK (old_rows = adopted + set_aside)
);
COMMENT ON TABLE adoption_tables IS 'rows found, taken over, and set aside whole in adoption_findings';

-- Every difference between what was and what is. A row that could not be taken over is here whole (old_row); nothing is dropped.
CREATE TABLE adoption_findings (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  table_name name NOT NULL,
  row_key text,
  lead_ext_id text,
  rule varchar(32) NOT NULL,
  column_name name,
  was text,
  became text,
  old_row jsonb
);
CREATE INDEX idx_adoption_findings_rule ON adoption_findings (table_name, rule);
CREATE INDEX idx_adoption_findings_lead ON adoption_findings (lead_ext_id) WHERE lead_ext_id IS NOT NULL;
COMMENT ON COLUMN adoption_findings.row_key IS 'key of the row as it is now, of a row set aside as it was; of an object its kind';
COMMENT ON COLUMN adoption_findings.became IS 'of a row set aside: the key of the row that stands for it, null = none does';

-- What is known of a person goes with the lead.
CREATE FUNCTION adoption_leads_deleted() RETURNS trigger
LANGUAGE plpgsql SET search_path FROM CURRENT
AS $$
BEGIN
  DELETE FROM adoption_findings WHERE lead_ext_id IN (SELECT ext_id FROM old_rows);
  RETURN NULL;
END
$$;
CREATE TRIGGER leads_deleted_adoption AFTER DELETE ON leads
REFERENCING OLD TABLE AS old_rows FOR EACH STATEMENT EXECUTE FUNCTION adoption_leads_deleted();

-- Which old row became which, for the rows that refer to it; empty but while an adoption runs. kept_id is the row that stands for it now:
-- its own, or that of the duplicate that was kept; null = it was set aside.
CREATE TABLE adoption_rows (
  table_name name NOT NULL,
  place bigint NOT NULL,
  old_id numeric,
  own_id bigint NOT NULL,
  parent_id bigint,
  lead_ext_id varchar(128),
  kept_id bigint,
  PRIMARY KEY (table_name, place)
);
CREATE INDEX idx_adoption_rows_id ON adoption_rows (table_name, own_id) WHERE old_id = own_id;

-- What people wrote where a contract has a closed list; words as adoption_fold writes them.
CREATE TABLE adoption_words (
  kind varchar(16) NOT NULL,
  word text NOT NULL,
  meaning text NOT NULL,
  PRIMARY KEY (kind, word)
);

CREATE FUNCTION adoption_fold(p_text text) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$
  -- Most words are written as they should be: looking costs a fifth of replacing.
  SELECT CASE WHEN p_text ~ '^[a-z]+(_[a-z]+)*$' THEN p_text ELSE btrim(regexp_replace(lower(p_text), '[^[:alnum:]]+', '_', 'g'), '_') END
$$;

INSERT INTO adoption_words (kind, word, meaning)
SELECT 'stage', stage::text, stage::text FROM unnest(enum_range(NULL::pipeline_stage)) AS stage
UNION ALL
SELECT 'priority', level::text, level::text FROM unnest(enum_range(NULL::priority_level)) AS level
UNION ALL
SELECT w.kind, w.meaning, w.meaning
FROM (
  SELECT k.kind, regexp_split_to_table(k.words, ' ') AS meaning
  FROM (VALUES
    ('task_type', 'email call meeting proposal custom'),
    ('task_status', 'pending in_progress completed skipped cancelled'),
    ('campaign_type', 'email_sequence call_campaign multichannel nurturing'),
    ('execution_status', 'active paused completed stopped'),
    ('event_type', 'email_sent email_opened email_clicked email_replied call_made call_answered meeting_scheduled proposal_sent custom'),
    ('event_status', 'queued sent delivered completed failed skipped')
  ) AS k (kind, words)
) w;

INSERT INTO adoption_words (kind, word, meaning)
SELECT k.kind, regexp_split_to_table(k.words, ' '), k.meaning
FROM (VALUES
  ('stage', 'qualified', 'new lead open initial inicial nuevo calificado cualificado qualification'),
  ('stage', 'contacted', 'contact contactado in_contact'),
  ('stage', 'meeting_scheduled', 'meeting reunion reunión demo demo_scheduled meeting_booked reunion_agendada reunión_agendada'),
  ('stage', 'proposal_sent', 'proposal propuesta propuesta_enviada quote quoted'),
  ('stage', 'negotiating', 'negotiation negociacion negociación negociando in_negotiation'),
  ('stage', 'closed_won', 'won win ganado ganada cerrado_ganado closedwon'),
  ('stage', 'closed_lost', 'lost perdido perdida cerrado_perdido closedlost'),
  ('priority', 'low', 'lo baja bajo cold p3'),
  ('priority', 'medium', 'med mid normal media medio warm p2'),
  ('priority', 'high', 'hi alta alto hot p1'),
  ('priority', 'urgent', 'urgente critical critica crítica p0'),
  ('task_type', 'email', 'mail e_mail correo'),
  ('task_type', 'call', 'phone phone_call llamada'),
  ('task_type', 'meeting', 'demo reunion reunión'),
  ('task_type', 'proposal', 'quote propuesta'),
  ('task_type', 'custom', 'other otro task todo'),
  ('task_status', 'pending', 'open todo to_do new pendiente'),
  ('task_status', 'in_progress', 'started doing en_curso inprogress'),
  ('task_status', 'completed', 'done complete finished closed completada hecha'),
  ('task_status', 'cancelled', 'canceled cancelada'),
  ('campaign_type', 'email_sequence', 'email emails drip sequence'),
  ('campaign_type', 'call_campaign', 'call calls phone'),
  ('campaign_type', 'multichannel', 'multi multi_channel mixed'),
  ('campaign_type', 'nurturing', 'nurture'),
  ('execution_status', 'active', 'running started in_progress'),
  ('execution_status', 'completed', 'done finished complete'),
  ('execution_status', 'stopped', 'cancelled canceled failed error aborted'),
  ('event_type', 'email_sent', 'email sent mail_sent'),
  ('event_type', 'email_opened', 'open opened email_open'),
  ('event_type', 'email_clicked', 'click clicked email_click'),
  ('event_type', 'email_replied', 'reply replied email_reply'),
  ('event_type', 'call_made', 'call called'),
  ('event_status', 'completed', 'done success ok'),
  ('event_status', 'failed', 'error bounced failure'),
  ('event_status', 'queued', 'pending scheduled'),
  ('event_status', 'skipped', 'cancelled canceled')
) AS k (kind, meaning, words);

-- A key of any length as one of at most 128 characters, the same for the lead and for all that refers to it.
CREATE FUNCTION adoption_key(p_text text) RETURNS varchar
LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$ SELECT (CASE WHEN length(p_text) <= 128 THEN p_text ELSE left(p_text, 95) || '-' || md5(p_text) END)::varchar $$;

-- Text without control characters (line ends and tabs stay), cut to its column.
CREATE FUNCTION adoption_text(p_text text, p_length int) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$
  SELECT CASE
    WHEN p_text ~ '[\x01-\x08\x0b\x0c\x0e-\x1f\x7f]' THEN left(regexp_replace(p_text, '[\x01-\x08\x0b\x0c\x0e-\x1f\x7f]', '', 'g'), p_length)
    ELSE left(p_text, p_length)
  END
$$;

-- Why a value differs: as the statement says, or text: what was wrong with a text, or word:kind: whether the word was one that is known.
CREATE FUNCTION adoption_rule(p_rule text, p_was text, p_became text) RETURNS text
LANGUAGE sql STABLE PARALLEL SAFE SET search_path FROM CURRENT
AS $$
  SELECT CASE
    WHEN p_rule = 'text' AND (p_was IS NULL OR p_was !~ '[^[:space:]]') THEN 'missing_value'
    WHEN p_rule = 'text' AND p_was ~ '[\x01-\x08\x0b\x0c\x0e-\x1f\x7f]' THEN 'control_characters'
    WHEN p_rule = 'text' AND length(p_was) > length(p_became) AND btrim(p_was) <> p_became THEN 'too_long'
    WHEN p_rule = 'text' THEN 'address_folded'
    WHEN p_rule NOT LIKE 'word:%' THEN p_rule
    WHEN p_was IS NULL THEN 'missing_value'
    WHEN EXISTS (SELECT FROM adoption_words w WHERE w.kind = substr(p_rule, 6) AND w.word = adoption_fold(p_was)) THEN 'other_word'
    ELSE 'unknown_value'
  END
$$;

-- A number as people and programs write it (1234.5, 1e3, $1,234.50, 1.234,50 €); null where it is none that can be read without guessing.
CREATE FUNCTION adoption_number(p_text text) RETURNS numeric
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE
AS $$
DECLARE
  t text := p_text;
BEGIN
  IF t ~ '^[+-]?([0-9]{1,30}([.][0-9]{0,30})?|[.][0-9]{1,30})([eE][+-]?[0-9]{1,2})?$' THEN
    RETURN t::numeric;
  END IF;
  t := regexp_replace(t, '[[:space:]$€£%]', '', 'g');
  IF t ~ '^[+-]?[0-9]{1,3}(,[0-9]{3})+([.][0-9]{0,30})?$' THEN
    RETURN replace(t, ',', '')::numeric;
  ELSIF t ~ '^[+-]?([0-9]{1,3}([.][0-9]{3})+|[0-9]{1,30}),[0-9]{1,2}$' THEN
    RETURN replace(replace(t, '.', ''), ',', '.')::numeric;
  ELSIF t ~ '^[+-]?[0-9]{1,30}([.][0-9]{0,30})?$' THEN
    RETURN t::numeric;
  END IF;
  RETURN NULL;
END
$$;

-- Instants that views can compute with and drivers can read; others are null.
CREATE FUNCTION adoption_within(p_at timestamptz) RETURNS timestamptz
LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$ SELECT CASE WHEN p_at >= '1900-01-01T00:00:00Z' AND p_at < '2200-01-01T00:00:00Z' THEN p_at END $$;

-- What has happened is not in the future.
CREATE FUNCTION adoption_past(p_at timestamptz) RETURNS timestamptz
LANGUAGE sql STABLE PARALLEL SAFE
AS $$ SELECT CASE WHEN p_at > sales_now() THEN sales_now() ELSE p_at END $$;

-- A whole number from 0 to p_max.
CREATE FUNCTION adoption_limit(p_number numeric, p_max int) RETURNS int
LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$ SELECT (CASE WHEN p_number < 0 THEN 0 WHEN p_number > p_max THEN p_max ELSE round(p_number) END)::int $$;

-- An instant out of a text; without an offset it is on the clock of p_time_zone. Seconds and milliseconds since 1970 are known by their length.
CREATE FUNCTION adoption_instant(p_text text, p_time_zone text) RETURNS timestamptz
LANGUAGE plpgsql STABLE PARALLEL SAFE SET datestyle = 'ISO, YMD' SET timezone = 'UTC'
AS $$
BEGIN
  IF p_text ~ '^[0-9]{9,10}([.][0-9]{1,9})?$' THEN
    RETURN to_timestamp(p_text::double precision);
  ELSIF p_text ~ '^[0-9]{12,13}([.][0-9]{1,9})?$' THEN
    RETURN to_timestamp(p_text::double precision / 1000);
  ELSIF p_text !~ '^[[:space:]]*[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}' THEN
    -- 03/04/2024 is March in one country and April in the next.
    RETURN NULL;
  ELSIF p_text ~* '(z|[+-][0-9]{2}(:?[0-9]{2})?)[[:space:]]*$' AND p_text ~ ':' THEN
    RETURN adoption_within(p_text::timestamptz);
  END IF;
  RETURN adoption_within(p_text::timestamp AT TIME ZONE p_time_zone);
EXCEPTION WHEN data_exception OR invalid_parameter_value THEN
  RETURN NULL;
END
$$;

CREATE FUNCTION adoption_json(p_text text) RETURNS jsonb
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE
AS $$
BEGIN
  RETURN p_text::jsonb;
EXCEPTION WHEN data_exception OR program_limit_exceeded OR statement_too_complex THEN
  RETURN NULL;
END
$$;

CREATE FUNCTION adoption_flag(p_text text) RETURNS boolean
LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$
  SELECT CASE
    WHEN lower(btrim(p_text)) IN ('t', 'true', 'y', 'yes', 'on', '1', 'si', 'sí', 's') THEN true
    WHEN lower(btrim(p_text)) IN ('f', 'false', 'n', 'no', 'off', '0') THEN false
  END
$$;

-- The old tables. place: the row's place in the table; own: columns that are no contract's, as an object; unreadable: columns whose value
-- cannot be read as their type; whole: the row.
CREATE VIEW adopting_leads AS
SELECT
  NULL::bigint AS place, NULL::jsonb AS own, NULL::text[] AS unreadable, NULL::jsonb AS whole, NULL::text AS ext_id, NULL::text AS source,
  NULL::text AS first_name, NULL::text AS last_name, NULL::text AS email, NULL::text AS phone, NULL::numeric AS score,
  NULL::text AS priority, NULL::text AS utm_source, NULL::text AS utm_campaign, NULL::timestamptz AS created_at,
  NULL::timestamptz AS updated_at, NULL::text AS company_name, NULL::text AS company_domain, NULL::boolean AS website_visited,
  NULL::boolean AS demo_requested, NULL::boolean AS pricing_page_viewed, NULL::text AS industry, NULL::text AS product_interest,
  NULL::text AS language, NULL::text AS country, NULL::text AS region, NULL::text AS time_zone, NULL::boolean AS consent_email,
  NULL::boolean AS consent_phone, NULL::numeric AS estimated_value, NULL::jsonb AS attributes
WHERE false;

CREATE VIEW adopting_lead_score_history AS
SELECT
  NULL::bigint AS place, NULL::jsonb AS own, NULL::text[] AS unreadable, NULL::jsonb AS whole, NULL::numeric AS id,
  NULL::text AS lead_ext_id, NULL::numeric AS score, NULL::numeric AS previous_score, NULL::text AS priority,
  NULL::numeric AS score_change, NULL::jsonb AS scoring_factors, NULL::timestamptz AS calculated_at, NULL::text AS calculated_by
WHERE false;

CREATE VIEW adopting_sales_pipeline AS
SELECT
  NULL::bigint AS place, NULL::jsonb AS own, NULL::text[] AS unreadable, NULL::jsonb AS whole, NULL::numeric AS id,
  NULL::text AS lead_ext_id, NULL::text AS email, NULL::text AS first_name, NULL::text AS last_name, NULL::text AS phone,
  NULL::numeric AS score, NULL::text AS priority, NULL::text AS source, NULL::text AS utm_source, NULL::text AS utm_campaign,
  NULL::text AS stage, NULL::text AS assigned_to, NULL::timestamptz AS qualified_at, NULL::timestamptz AS first_contact_at,
  NULL::timestamptz AS last_contact_at, NULL::timestamptz AS next_followup_at, NULL::timestamptz AS closed_at,
  NULL::numeric AS estimated_value, NULL::numeric AS probability_pct, NULL::text AS notes, NULL::jsonb AS metadata,
  NULL::timestamptz AS created_at, NULL::timestamptz AS updated_at
WHERE false;

CREATE VIEW adopting_sales_followup_tasks AS
SELECT
  NULL::bigint AS place, NULL::jsonb AS own, NULL::text[] AS unreadable, NULL::jsonb AS whole, NULL::numeric AS id,
  NULL::numeric AS pipeline_id, NULL::text AS lead_ext_id, NULL::text AS task_type, NULL::text AS task_title,
  NULL::text AS task_description, NULL::text AS status, NULL::text AS priority, NULL::text AS assigned_to, NULL::timestamptz AS due_date,
  NULL::timestamptz AS completed_at, NULL::text AS completed_by, NULL::jsonb AS metadata, NULL::timestamptz AS created_at,
  NULL::timestamptz AS updated_at
WHERE false;

CREATE VIEW adopting_sales_campaigns AS
SELECT
  NULL::bigint AS place, NULL::jsonb AS own, NULL::text[] AS unreadable, NULL::jsonb AS whole, NULL::numeric AS id, NULL::text AS name,
  NULL::text AS description, NULL::text AS campaign_type, NULL::jsonb AS trigger_criteria, NULL::jsonb AS steps_config,
  NULL::boolean AS enabled, NULL::numeric AS max_leads_per_run, NULL::timestamptz AS created_at, NULL::timestamptz AS updated_at
WHERE false;

CREATE VIEW adopting_sales_campaign_executions AS
SELECT
  NULL::bigint AS place, NULL::jsonb AS own, NULL::text[] AS unreadable, NULL::jsonb AS whole, NULL::numeric AS id,
  NULL::numeric AS campaign_id, NULL::text AS lead_ext_id, NULL::numeric AS pipeline_id, NULL::text AS status,
  NULL::numeric AS current_step, NULL::numeric AS total_steps, NULL::timestamptz AS started_at, NULL::timestamptz AS completed_at,
  NULL::timestamptz AS next_action_at, NULL::jsonb AS metadata, NULL::timestamptz AS created_at, NULL::timestamptz AS updated_at
WHERE false;

CREATE VIEW adopting_sales_campaign_events AS
SELECT
  NULL::bigint AS place, NULL::jsonb AS own, NULL::text[] AS unreadable, NULL::jsonb AS whole, NULL::numeric AS id,
  NULL::numeric AS execution_id, NULL::text AS lead_ext_id, NULL::numeric AS step_number, NULL::text AS event_type, NULL::text AS status,
  NULL::timestamptz AS executed_at, NULL::jsonb AS metadata, NULL::timestamptz AS created_at
WHERE false;
