-- Scoring rules: one row a version, never changed after it was used; exactly one is active. Typed columns with checks instead of a
-- document, so that the set-based statement reads plain numbers and a wrong value cannot be stored.
CREATE TABLE scoring_rules (
  version int PRIMARY KEY,
  active boolean NOT NULL DEFAULT false,
  comment varchar(500) NOT NULL DEFAULT '',
  created_by varchar(128) NOT NULL DEFAULT current_user,
  created_at timestamptz NOT NULL DEFAULT now(),
  base_points smallint NOT NULL DEFAULT 20 CHECK (base_points BETWEEN -100 AND 100),
  email_points smallint NOT NULL DEFAULT 10 CHECK (email_points BETWEEN -100 AND 100),
  phone_points smallint NOT NULL DEFAULT 5 CHECK (phone_points BETWEEN -100 AND 100),
  name_points smallint NOT NULL DEFAULT 5 CHECK (name_points BETWEEN -100 AND 100),
  reply_1_points smallint NOT NULL DEFAULT 15 CHECK (reply_1_points BETWEEN -100 AND 100),
  reply_2_points smallint NOT NULL DEFAULT 25 CHECK (reply_2_points BETWEEN -100 AND 100),
  click_1_points smallint NOT NULL DEFAULT 8 CHECK (click_1_points BETWEEN -100 AND 100),
  click_2_points smallint NOT NULL DEFAULT 12 CHECK (click_2_points BETWEEN -100 AND 100),
  open_2_points smallint NOT NULL DEFAULT 5 CHECK (open_2_points BETWEEN -100 AND 100),
  open_3_points smallint NOT NULL DEFAULT 10 CHECK (open_3_points BETWEEN -100 AND 100),
  open_4_points smallint NOT NULL DEFAULT 15 CHECK (open_4_points BETWEEN -100 AND 100),
  other_source_points smallint NOT NULL DEFAULT 1 CHECK (other_source_points BETWEEN -100 AND 100),
  utm_points smallint NOT NULL DEFAULT 2 CHECK (utm_points BETWEEN -100 AND 100),
  fresh_days smallint NOT NULL DEFAULT 7 CHECK (fresh_days BETWEEN 0 AND 3650),
  fresh_points smallint NOT NULL DEFAULT 10 CHECK (fresh_points BETWEEN -100 AND 100),
  recent_days smallint NOT NULL DEFAULT 30 CHECK (recent_days BETWEEN 0 AND 3650),
  recent_points smallint NOT NULL DEFAULT 5 CHECK (recent_points BETWEEN -100 AND 100),
  edu_gov_domain_points smallint NOT NULL DEFAULT 5 CHECK (edu_gov_domain_points BETWEEN -100 AND 100),
  short_domain_length smallint NOT NULL DEFAULT 15 CHECK (short_domain_length BETWEEN 0 AND 253),
  short_domain_points smallint NOT NULL DEFAULT 3 CHECK (short_domain_points BETWEEN -100 AND 100),
  website_visited_points smallint NOT NULL DEFAULT 3 CHECK (website_visited_points BETWEEN -100 AND 100),
  demo_requested_points smallint NOT NULL DEFAULT 10 CHECK (demo_requested_points BETWEEN -100 AND 100),
  pricing_page_viewed_points smallint NOT NULL DEFAULT 5 CHECK (pricing_page_viewed_points BETWEEN -100 AND 100),
  cap smallint NOT NULL DEFAULT 100 CHECK (cap BETWEEN 1 AND 100),
  high_priority_score smallint NOT NULL DEFAULT 50 CHECK (high_priority_score BETWEEN 0 AND 100),
  medium_priority_score smallint NOT NULL DEFAULT 35 CHECK (medium_priority_score BETWEEN 0 AND 100),
  model_weight numeric(3, 2) NOT NULL DEFAULT 0.3 CHECK (model_weight BETWEEN 0 AND 1),
  CONSTRAINT fresh_before_recent CHECK (fresh_days <= recent_days),
  CONSTRAINT medium_below_high CHECK (medium_priority_score < high_priority_score)
);
CREATE UNIQUE INDEX scoring_rules_one_active ON scoring_rules (active) WHERE active;

-- Points of a source by its words ("paid social" has two: the better one counts). Whole words, so that "radio" is not an ad.
CREATE TABLE scoring_rule_source_words (
  version int NOT NULL REFERENCES scoring_rules (version) ON DELETE CASCADE,
  word varchar(32) NOT NULL CHECK (word ~ '^[a-z0-9]+$'),
  points smallint NOT NULL CHECK (points BETWEEN -100 AND 100),
  PRIMARY KEY (version, word)
);

-- A version explains the scores it made, so its numbers stay as they are; a change is a new version. Its words come with it, in the
-- transaction that makes it.
CREATE FUNCTION scoring_rules_are_kept() RETURNS trigger
LANGUAGE plpgsql
SET search_path FROM CURRENT
AS $$
BEGIN
  IF TG_OP = 'INSERT' AND NOT EXISTS (SELECT 1 FROM scoring_rules r WHERE r.version = NEW.version AND r.created_at <> now()) THEN
    RETURN NEW;
  END IF;
  RAISE EXCEPTION 'scoring rules version % cannot be changed: make a new version (sales-tasks scoring rules edit)',
    coalesce(OLD.version, NEW.version)
    USING ERRCODE = 'restrict_violation';
END $$;

CREATE TRIGGER scoring_rules_are_kept BEFORE UPDATE ON scoring_rules
FOR EACH ROW
WHEN (to_jsonb(OLD) - 'active' - 'comment' IS DISTINCT FROM to_jsonb(NEW) - 'active' - 'comment')
EXECUTE FUNCTION scoring_rules_are_kept();

CREATE TRIGGER scoring_rules_are_not_deleted BEFORE DELETE ON scoring_rules
FOR EACH ROW EXECUTE FUNCTION scoring_rules_are_kept();

CREATE TRIGGER scoring_rule_source_words_are_kept BEFORE INSERT OR UPDATE OR DELETE ON scoring_rule_source_words
FOR EACH ROW EXECUTE FUNCTION scoring_rules_are_kept();

INSERT INTO scoring_rules (version, active, comment, created_by) VALUES (1, true, 'Default point table', 'migration');
INSERT INTO scoring_rule_source_words (version, word, points) VALUES
  (1, 'organic', 5), (1, 'direct', 5), (1, 'referral', 4), (1, 'partner', 4), (1, 'paid', 3), (1, 'ad', 3), (1, 'social', 2);

-- Points of the sources that occur, filled by scoring before a pass: a hash join on a few dozen rows instead of splitting every lead's
-- source into words (0.2 against 1.5 microseconds a lead). A source that is missing here is split on the spot.
CREATE TABLE scoring_source_points (
  version int NOT NULL REFERENCES scoring_rules (version) ON DELETE CASCADE,
  source varchar(32) NOT NULL,
  points smallint NOT NULL,
  PRIMARY KEY (version, source)
);

CREATE FUNCTION score_source(p_version int, p_source text) RETURNS smallint
LANGUAGE sql STABLE
AS $$
  SELECT coalesce(
    (SELECT max(w.points)
     FROM regexp_split_to_table(lower(p_source), '[^[:alnum:]]+') AS part
     JOIN scoring_rule_source_words w ON w.version = p_version AND w.word = part),
    (SELECT r.other_source_points FROM scoring_rules r WHERE r.version = p_version))
$$;

-- Mail providers whose domain says nothing about a company.
CREATE TABLE free_mail_domains (
  domain varchar(253) PRIMARY KEY CHECK (domain = lower(domain))
);
INSERT INTO free_mail_domains (domain) VALUES
  ('gmail.com'), ('googlemail.com'), ('yahoo.com'), ('yahoo.es'), ('yahoo.co.uk'), ('yahoo.com.mx'), ('yahoo.com.ar'), ('yahoo.fr'),
  ('ymail.com'), ('rocketmail.com'), ('hotmail.com'), ('hotmail.es'), ('hotmail.co.uk'), ('hotmail.fr'), ('outlook.com'), ('outlook.es'),
  ('live.com'), ('live.com.mx'), ('msn.com'), ('icloud.com'), ('me.com'), ('mac.com'), ('aol.com'), ('gmx.com'), ('gmx.de'), ('gmx.net'),
  ('web.de'), ('mail.com'), ('proton.me'), ('protonmail.com'), ('pm.me'), ('zoho.com'), ('yandex.com'), ('yandex.ru'), ('mail.ru'),
  ('qq.com'), ('163.com'), ('126.com'), ('fastmail.com'), ('hey.com'), ('tutanota.com'), ('terra.com'), ('terra.com.br'), ('uol.com.br'),
  ('bol.com.br'), ('rediffmail.com'), ('orange.fr'), ('wanadoo.fr'), ('free.fr'), ('libero.it'), ('telefonica.net'), ('t-online.de');

-- A published model's score per lead, 0-100. Scoring blends it in where asked to; empty until there is a model.
CREATE TABLE lead_model_scores (
  lead_id bigint PRIMARY KEY,
  model_score smallint NOT NULL CHECK (model_score BETWEEN 0 AND 100),
  model_version varchar(64) NOT NULL,
  scored_at timestamptz NOT NULL DEFAULT sales_now()
);

-- Every score with its points: what lead_score_history shows. Typed columns and BRIN instead of jsonb and B-trees: 10 times the insert
-- rate and 100 bytes a row instead of 600. lead_id follows the order of each pass, so BRIN narrows a lead's rows down; a B-tree on lead_id
-- would answer in less than a millisecond, and make a full pass a quarter dearer.
CREATE TABLE lead_scores (
  id bigint GENERATED BY DEFAULT AS IDENTITY (CACHE 1000),
  lead_id bigint NOT NULL,
  calculated_at timestamptz NOT NULL DEFAULT sales_now(),
  priority priority_level,
  rule_version int,
  score smallint NOT NULL,
  previous_score smallint,
  base_points smallint,
  email_points smallint,
  phone_points smallint,
  name_points smallint,
  reply_points smallint,
  click_points smallint,
  open_points smallint,
  source_points smallint,
  utm_points smallint,
  age_points smallint,
  domain_points smallint,
  website_points smallint,
  demo_points smallint,
  pricing_points smallint,
  cap_points smallint,
  model_points smallint,
  bot_events smallint,
  calculated_by varchar(64),
  scoring_factors jsonb
) PARTITION BY RANGE (calculated_at);

COMMENT ON COLUMN lead_scores.calculated_by IS 'null = automated_scoring';
COMMENT ON COLUMN lead_scores.scoring_factors IS 'as given by whoever inserted the row through lead_score_history; null = derived from the points';
COMMENT ON COLUMN lead_scores.cap_points IS 'what the cap cut, 0 or less (more than 0 where a negative sum was lifted to 0)';

CREATE TABLE lead_scores_default PARTITION OF lead_scores DEFAULT;
CREATE INDEX lead_scores_brin ON lead_scores USING brin (lead_id, calculated_at) WITH (pages_per_range = 16, autosummarize = on);

-- Creates the month's partition where it is missing; rows that waited in the default partition move into it, so that none is lost. The
-- advisory lock makes concurrent callers take turns. Runs with its owner's rights: jobs may call it and may not create tables.
CREATE FUNCTION ensure_lead_scores_partition(p_at timestamptz) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER
SET search_path FROM CURRENT
SET timezone = 'UTC'
AS $$
DECLARE
  month_start timestamptz := date_trunc('month', p_at);
  month_end timestamptz := date_trunc('month', p_at) + interval '1 month';
  partition_name text := 'lead_scores_' || to_char(month_start, 'YYYYMM');
BEGIN
  IF to_regclass(partition_name) IS NOT NULL THEN
    RETURN false;
  END IF;
  PERFORM pg_advisory_xact_lock(hashtext('lead_scores partitions'), hashtext(current_schema()));
  -- Inserters wait here, before they choose a partition: one that had chosen the default partition would fail after the attach.
  LOCK TABLE ONLY lead_scores IN SHARE ROW EXCLUSIVE MODE;
  -- A query with a snapshot of its own: to_regclass may still answer from before the wait.
  IF EXISTS (SELECT FROM pg_class WHERE relname = partition_name AND relnamespace = (SELECT oid FROM pg_namespace WHERE nspname = current_schema())) THEN
    RETURN false;
  END IF;
  EXECUTE format('CREATE TABLE %I (LIKE lead_scores INCLUDING DEFAULTS)', partition_name);
  LOCK TABLE lead_scores_default IN ACCESS EXCLUSIVE MODE;
  EXECUTE format(
    'WITH moved AS (DELETE FROM lead_scores_default WHERE calculated_at >= %L AND calculated_at < %L RETURNING *) INSERT INTO %I SELECT * FROM moved',
    month_start, month_end, partition_name);
  EXECUTE format(
    'ALTER TABLE lead_scores ATTACH PARTITION %I FOR VALUES FROM (%L) TO (%L)', partition_name, month_start, month_end);
  RETURN true;
END $$;

SELECT ensure_lead_scores_partition(sales_now() + make_interval(months => m)) FROM generate_series(0, 3) AS m;

-- The contract's table, as a view. Factors add up to the score exactly, the cap's cut included.
CREATE VIEW lead_score_history AS
SELECT
  s.id,
  l.ext_id AS lead_ext_id,
  s.score::int AS score,
  s.previous_score::int AS previous_score,
  s.priority,
  s.score - coalesce(s.previous_score::int, 0) AS score_change,
  coalesce(
    s.scoring_factors,
    CASE WHEN s.rule_version IS NOT NULL THEN jsonb_build_object(
      'rule_version', s.rule_version,
      'factors', jsonb_build_object(
        'base', s.base_points, 'email', s.email_points, 'phone', s.phone_points, 'name', s.name_points, 'replies', s.reply_points,
        'clicks', s.click_points, 'opens', s.open_points, 'source', s.source_points, 'utm', s.utm_points, 'age', s.age_points,
        'company_domain', s.domain_points, 'website_visited', s.website_points, 'demo_requested', s.demo_points,
        'pricing_page_viewed', s.pricing_points, 'cap', s.cap_points, 'model', s.model_points),
      'bot_events_ignored', s.bot_events) END) AS scoring_factors,
  s.calculated_at,
  coalesce(s.calculated_by, 'automated_scoring')::varchar(64) AS calculated_by
FROM lead_scores s
JOIN leads l ON l.lead_id = s.lead_id;

CREATE FUNCTION lead_score_history_write() RETURNS trigger
LANGUAGE plpgsql
SET search_path FROM CURRENT
AS $$
DECLARE
  target bigint;
BEGIN
  IF TG_OP = 'DELETE' THEN
    DELETE FROM lead_scores WHERE id = OLD.id AND calculated_at = OLD.calculated_at;
    RETURN OLD;
  END IF;

  -- Locked as a foreign key would: the lead is not deleted before this row is there to be deleted with it.
  SELECT lead_id INTO target FROM leads WHERE ext_id = NEW.lead_ext_id FOR KEY SHARE;
  IF NOT FOUND THEN
    RAISE foreign_key_violation USING MESSAGE = 'lead_score_history.lead_ext_id is not in leads';
  END IF;
  IF NEW.score IS NULL THEN
    RAISE not_null_violation USING MESSAGE = 'lead_score_history.score must not be null';
  END IF;

  NEW.calculated_at := coalesce(NEW.calculated_at, sales_now());
  NEW.calculated_by := coalesce(NEW.calculated_by, 'automated_scoring');
  IF TG_OP = 'INSERT' THEN
    INSERT INTO lead_scores (id, lead_id, calculated_at, priority, score, previous_score, calculated_by, scoring_factors)
    VALUES (
      coalesce(NEW.id, nextval(pg_get_serial_sequence('lead_scores', 'id'))), target, NEW.calculated_at, NEW.priority, NEW.score,
      NEW.previous_score, NEW.calculated_by, NEW.scoring_factors)
    RETURNING id INTO NEW.id;
  ELSE
    UPDATE lead_scores SET
      id = NEW.id, lead_id = target, calculated_at = NEW.calculated_at, priority = NEW.priority, score = NEW.score,
      previous_score = NEW.previous_score, calculated_by = NEW.calculated_by,
      scoring_factors = CASE WHEN NEW.scoring_factors IS DISTINCT FROM OLD.scoring_factors THEN NEW.scoring_factors ELSE scoring_factors END
    WHERE id = OLD.id AND calculated_at = OLD.calculated_at;
  END IF;
  NEW.score_change := NEW.score - coalesce(NEW.previous_score, 0);
  RETURN NEW;
END $$;

CREATE TRIGGER lead_score_history_write INSTEAD OF INSERT OR UPDATE OR DELETE ON lead_score_history
FOR EACH ROW EXECUTE FUNCTION lead_score_history_write();

-- What has to be scored again, and when: inputs changed (-infinity: at once, whatever instant a run works at), or an age boundary
-- comes. Append-only, so that writers never wait for each other or for scoring; scoring deletes what its snapshot saw, so a change that
-- commits during a pass keeps its row. Scoring itself adds the next age boundary of each lead it looks at: it knows the rules it works
-- with, and a trigger does not know those that come into force before its transaction ends.
CREATE TABLE lead_score_due (
  id bigint GENERATED ALWAYS AS IDENTITY (CACHE 100) PRIMARY KEY,
  lead_id bigint NOT NULL,
  due_at timestamptz NOT NULL DEFAULT '-infinity'
) WITH (autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_threshold = 1000);
CREATE INDEX idx_score_due_lead ON lead_score_due (lead_id);

-- Scoring works in blocks of 32,768 leads (lead_id >> 15): the unit of locking, of sharding and of "scored with these settings".
CREATE TABLE scoring_blocks (
  block int PRIMARY KEY,
  settings varchar(200) NOT NULL DEFAULT '',
  scored_through bigint NOT NULL DEFAULT -1
) WITH (fillfactor = 50);
COMMENT ON COLUMN scoring_blocks.settings IS 'the settings its leads were last scored with; others make the whole block due';
COMMENT ON COLUMN scoring_blocks.scored_through IS 'last lead_id of the block that a pass with these settings has done; the pass is complete at the block''s last id';

CREATE FUNCTION leads_inserted() RETURNS trigger
LANGUAGE plpgsql
SET search_path FROM CURRENT
AS $$
BEGIN
  INSERT INTO lead_score_due (lead_id) SELECT lead_id FROM new_rows;
  RETURN NULL;
END $$;

CREATE TRIGGER leads_inserted AFTER INSERT ON leads
REFERENCING NEW TABLE AS new_rows
FOR EACH STATEMENT EXECUTE FUNCTION leads_inserted();

CREATE FUNCTION leads_changed() RETURNS trigger
LANGUAGE plpgsql
SET search_path FROM CURRENT
AS $$
BEGIN
  INSERT INTO lead_score_due (lead_id) VALUES (NEW.lead_id);
  RETURN NULL;
END $$;

-- A column list, so that scoring's own update of score and priority does not even queue an event.
CREATE TRIGGER leads_changed
AFTER UPDATE OF source, first_name, last_name, email, phone, utm_source, utm_campaign, created_at, company_domain,
  website_visited, demo_requested, pricing_page_viewed ON leads
FOR EACH ROW
WHEN (
  (OLD.source, OLD.first_name, OLD.last_name, OLD.email, OLD.phone, OLD.utm_source, OLD.utm_campaign, OLD.created_at, OLD.company_domain,
   OLD.website_visited, OLD.demo_requested, OLD.pricing_page_viewed)
  IS DISTINCT FROM
  (NEW.source, NEW.first_name, NEW.last_name, NEW.email, NEW.phone, NEW.utm_source, NEW.utm_campaign, NEW.created_at, NEW.company_domain,
   NEW.website_visited, NEW.demo_requested, NEW.pricing_page_viewed))
EXECUTE FUNCTION leads_changed();

-- References by lead_id are kept here instead of by foreign keys: a key on lead_scores would check every inserted row.
CREATE FUNCTION leads_deleted() RETURNS trigger
LANGUAGE plpgsql
SET search_path FROM CURRENT
AS $$
DECLARE
  nested_loops text := current_setting('enable_nestloop');
BEGIN
  -- Look-ups by BRIN cost milliseconds each: for many leads one pass over the history is faster (1,000 leads, 3.6 million rows: 1.4 s
  -- instead of 28 s). EXECUTE, because a cached plan would not follow the setting.
  IF (SELECT count(*) FROM old_rows) > 50 THEN
    PERFORM set_config('enable_nestloop', 'off', true);
  END IF;
  EXECUTE 'DELETE FROM lead_scores WHERE lead_id IN (SELECT lead_id FROM old_rows)';
  PERFORM set_config('enable_nestloop', nested_loops, true);
  DELETE FROM lead_engagement WHERE lead_id IN (SELECT lead_id FROM old_rows);
  DELETE FROM lead_model_scores WHERE lead_id IN (SELECT lead_id FROM old_rows);
  DELETE FROM lead_score_due WHERE lead_id IN (SELECT lead_id FROM old_rows);
  RETURN NULL;
END $$;

CREATE TRIGGER leads_deleted AFTER DELETE ON leads
REFERENCING OLD TABLE AS old_rows
FOR EACH STATEMENT EXECUTE FUNCTION leads_deleted();

CREATE FUNCTION leads_truncated() RETURNS trigger
LANGUAGE plpgsql
SET search_path FROM CURRENT
AS $$
BEGIN
  TRUNCATE lead_scores, lead_engagement, lead_model_scores, lead_score_due, scoring_blocks;
  RETURN NULL;
END $$;

CREATE TRIGGER leads_truncated AFTER TRUNCATE ON leads FOR EACH STATEMENT EXECUTE FUNCTION leads_truncated();

-- Adds what changed to the counts. Differences, never recounts: a recount would lose an event that commits meanwhile.
CREATE FUNCTION engagement_add(p_lead_ext_ids text[], p_types text[], p_bots boolean[], p_times timestamptz[], p_signs int[]) RETURNS void
LANGUAGE sql
SET search_path FROM CURRENT
AS $$
  WITH difference AS (
    SELECT
      l.lead_id,
      coalesce(sum(sign) FILTER (WHERE event_type = 'reply' AND NOT is_bot), 0) AS replies,
      coalesce(sum(sign) FILTER (WHERE event_type = 'click' AND NOT is_bot), 0) AS clicks,
      coalesce(sum(sign) FILTER (WHERE event_type = 'open' AND NOT is_bot), 0) AS opens,
      coalesce(sum(sign) FILTER (WHERE event_type = 'visit' AND NOT is_bot), 0) AS visits,
      coalesce(sum(sign) FILTER (WHERE event_type = 'demo' AND NOT is_bot), 0) AS demos,
      coalesce(sum(sign) FILTER (WHERE event_type = 'pricing' AND NOT is_bot), 0) AS pricing_views,
      coalesce(sum(sign) FILTER (WHERE is_bot), 0) AS bot_events,
      max(occurred_at) FILTER (WHERE NOT is_bot AND sign > 0) AS last_event_at
    FROM unnest(p_lead_ext_ids, p_types, p_bots, p_times, p_signs) AS e (lead_ext_id, event_type, is_bot, occurred_at, sign)
    JOIN leads l ON l.ext_id = e.lead_ext_id
    GROUP BY l.lead_id
  ), counted AS (
    INSERT INTO lead_engagement AS g (lead_id, replies, clicks, opens, visits, demos, pricing_views, bot_events, last_event_at)
    SELECT lead_id, replies, clicks, opens, visits, demos, pricing_views, bot_events, last_event_at
    FROM difference
    ORDER BY lead_id
    ON CONFLICT (lead_id) DO UPDATE SET
      replies = g.replies + excluded.replies,
      clicks = g.clicks + excluded.clicks,
      opens = g.opens + excluded.opens,
      visits = g.visits + excluded.visits,
      demos = g.demos + excluded.demos,
      pricing_views = g.pricing_views + excluded.pricing_views,
      bot_events = g.bot_events + excluded.bot_events,
      last_event_at = greatest(g.last_event_at, excluded.last_event_at)
  )
  INSERT INTO lead_score_due (lead_id)
  SELECT lead_id
  FROM difference
  WHERE replies <> 0 OR clicks <> 0 OR opens <> 0 OR visits <> 0 OR demos <> 0 OR pricing_views <> 0 OR bot_events <> 0
$$;

CREATE FUNCTION engagement_inserted() RETURNS trigger
LANGUAGE plpgsql
SET search_path FROM CURRENT
AS $$
BEGIN
  PERFORM engagement_add(
    array_agg(lead_ext_id::text), array_agg(event_type::text), array_agg(is_bot), array_agg(occurred_at), array_agg(1))
  FROM new_rows;
  RETURN NULL;
END $$;

CREATE FUNCTION engagement_updated() RETURNS trigger
LANGUAGE plpgsql
SET search_path FROM CURRENT
AS $$
BEGIN
  -- Where no lead has the old key any more, the lead was renamed and its events follow: they are counted for it already.
  PERFORM engagement_add(
    array_agg(c.lead_ext_id::text), array_agg(c.event_type::text), array_agg(c.is_bot), array_agg(c.occurred_at), array_agg(c.sign))
  FROM old_rows o
  JOIN new_rows n USING (id)
  CROSS JOIN LATERAL (SELECT CASE WHEN EXISTS (SELECT 1 FROM leads l WHERE l.ext_id = o.lead_ext_id) THEN o.lead_ext_id ELSE n.lead_ext_id END
    AS lead_ext_id OFFSET 0) AS before
  CROSS JOIN LATERAL (VALUES
    (before.lead_ext_id, o.event_type, o.is_bot, o.occurred_at, -1),
    (n.lead_ext_id, n.event_type, n.is_bot, n.occurred_at, 1)) AS c (lead_ext_id, event_type, is_bot, occurred_at, sign)
  WHERE (before.lead_ext_id, o.event_type, o.is_bot, o.occurred_at) IS DISTINCT FROM (n.lead_ext_id, n.event_type, n.is_bot, n.occurred_at);
  RETURN NULL;
END $$;

CREATE FUNCTION engagement_deleted() RETURNS trigger
LANGUAGE plpgsql
SET search_path FROM CURRENT
AS $$
BEGIN
  PERFORM engagement_add(
    array_agg(lead_ext_id::text), array_agg(event_type::text), array_agg(is_bot), array_agg(occurred_at), array_agg(-1))
  FROM old_rows;
  RETURN NULL;
END $$;

CREATE TRIGGER engagement_inserted AFTER INSERT ON lead_engagement_events
REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION engagement_inserted();
CREATE TRIGGER engagement_updated AFTER UPDATE ON lead_engagement_events
REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION engagement_updated();
CREATE TRIGGER engagement_deleted AFTER DELETE ON lead_engagement_events
REFERENCING OLD TABLE AS old_rows FOR EACH STATEMENT EXECUTE FUNCTION engagement_deleted();

-- For changes that may concern any lead: every block counts as not scored yet. Takes the blocks in order, as scoring does, and waits for
-- chunks under way, which do not know of the change.
CREATE FUNCTION everything_is_due() RETURNS trigger
LANGUAGE plpgsql
SET search_path FROM CURRENT
AS $$
BEGIN
  IF TG_TABLE_NAME = 'lead_engagement_events' THEN
    DELETE FROM lead_engagement;
  END IF;
  PERFORM 1 FROM scoring_blocks ORDER BY block FOR UPDATE;
  UPDATE scoring_blocks SET settings = '' WHERE settings <> '';
  RETURN NULL;
END $$;

CREATE TRIGGER engagement_truncated AFTER TRUNCATE ON lead_engagement_events
FOR EACH STATEMENT EXECUTE FUNCTION everything_is_due();
CREATE TRIGGER model_scores_truncated AFTER TRUNCATE ON lead_model_scores
FOR EACH STATEMENT EXECUTE FUNCTION everything_is_due();
CREATE TRIGGER free_mail_domains_changed AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON free_mail_domains
FOR EACH STATEMENT EXECUTE FUNCTION everything_is_due();

CREATE FUNCTION model_score_changed() RETURNS trigger
LANGUAGE plpgsql
SET search_path FROM CURRENT
AS $$
BEGIN
  INSERT INTO lead_score_due (lead_id) SELECT lead_id FROM changed_rows;
  RETURN NULL;
END $$;

CREATE TRIGGER model_score_inserted AFTER INSERT ON lead_model_scores
REFERENCING NEW TABLE AS changed_rows FOR EACH STATEMENT EXECUTE FUNCTION model_score_changed();
CREATE TRIGGER model_score_updated AFTER UPDATE ON lead_model_scores
REFERENCING NEW TABLE AS changed_rows FOR EACH STATEMENT EXECUTE FUNCTION model_score_changed();
CREATE TRIGGER model_score_deleted AFTER DELETE ON lead_model_scores
REFERENCING OLD TABLE AS changed_rows FOR EACH STATEMENT EXECUTE FUNCTION model_score_changed();

-- The rules applied to the leads p_first to p_last, written once: scoring, its preview and explain select from it, and the planner inlines
-- it (no SET, not STRICT), so that further conditions on lead_id reach the index. The range is named for every table by lead_id: the
-- planner does not carry it over a join, and would read all engagement for every block. LATERAL ... OFFSET 0 is a barrier: without it
-- each point expression would be evaluated again wherever the sum is used. Free-mail domains are looked up with IN and not joined: a
-- subquery that depends on nothing is hashed once, where a join that expects one lead reads the whole list again for each of them.
CREATE FUNCTION lead_score_calculation(
  p_rule_version int, p_as_of timestamptz, p_engagement boolean, p_model boolean, p_first bigint, p_last bigint
)
RETURNS TABLE (
  lead_id bigint, lead_ctid tid, previous_score int, previous_priority priority_level, score smallint, priority priority_level,
  base_points smallint, email_points smallint, phone_points smallint, name_points smallint, reply_points smallint,
  click_points smallint, open_points smallint, source_points smallint, utm_points smallint, age_points smallint,
  domain_points smallint, website_points smallint, demo_points smallint, pricing_points smallint, cap_points smallint,
  model_points smallint, bot_events smallint
)
LANGUAGE sql STABLE
AS $$
  SELECT
    l.lead_id, l.ctid, l.score, l.priority, p.score,
    CASE
      WHEN p.score >= r.high_priority_score THEN 'high'::priority_level
      WHEN p.score >= r.medium_priority_score THEN 'medium'::priority_level
      ELSE 'low'::priority_level
    END,
    r.base_points, p.email_points, p.phone_points, p.name_points, p.reply_points, p.click_points, p.open_points, p.source_points,
    p.utm_points, p.age_points, p.domain_points, p.website_points, p.demo_points, p.pricing_points,
    (p.capped - p.total)::smallint, (p.score - p.capped)::smallint, least(coalesce(g.bot_events, 0), 32767)::smallint
  FROM (
    SELECT
      rules.*,
      p_as_of - make_interval(hours => 24 * (rules.fresh_days + 1)) AS fresh_since,
      p_as_of - make_interval(hours => 24 * (rules.recent_days + 1)) AS recent_since
    FROM scoring_rules rules
    WHERE rules.version = p_rule_version
    OFFSET 0
  ) AS r
  CROSS JOIN leads l
  LEFT JOIN scoring_source_points s ON s.version = p_rule_version AND s.source = l.source
  LEFT JOIN lead_engagement g ON g.lead_id = l.lead_id AND g.lead_id BETWEEN p_first AND p_last
  LEFT JOIN lead_model_scores m ON p_model AND m.lead_id = l.lead_id AND m.lead_id BETWEEN p_first AND p_last
  CROSS JOIN LATERAL (
    SELECT
      capping.*,
      CASE WHEN m.model_score IS NULL THEN capping.capped
        ELSE round((1 - r.model_weight) * capping.capped + r.model_weight * m.model_score)::smallint END AS score
    FROM (
      SELECT summing.*, least(greatest(summing.total, 0::smallint), r.cap) AS capped
      FROM (
        SELECT
          points.*,
          r.base_points + points.email_points + points.phone_points + points.name_points + points.reply_points + points.click_points
            + points.open_points + points.source_points + points.utm_points + points.age_points + points.domain_points
            + points.website_points + points.demo_points + points.pricing_points AS total
        FROM (
          SELECT
            CASE WHEN l.has_email THEN r.email_points ELSE 0::smallint END AS email_points,
            CASE WHEN l.has_phone THEN r.phone_points ELSE 0::smallint END AS phone_points,
            CASE WHEN l.has_name THEN r.name_points ELSE 0::smallint END AS name_points,
            CASE WHEN NOT p_engagement OR g.replies IS NULL OR g.replies < 1 THEN 0::smallint
              WHEN g.replies = 1 THEN r.reply_1_points ELSE r.reply_2_points END AS reply_points,
            CASE WHEN NOT p_engagement OR g.clicks IS NULL OR g.clicks < 1 THEN 0::smallint
              WHEN g.clicks = 1 THEN r.click_1_points ELSE r.click_2_points END AS click_points,
            CASE WHEN NOT p_engagement OR g.opens IS NULL OR g.opens < 2 THEN 0::smallint
              WHEN g.opens = 2 THEN r.open_2_points WHEN g.opens = 3 THEN r.open_3_points ELSE r.open_4_points END AS open_points,
            CASE WHEN s.points IS NOT NULL THEN s.points ELSE score_source(r.version, l.source) END AS source_points,
            CASE WHEN l.has_utm THEN r.utm_points ELSE 0::smallint END AS utm_points,
            CASE WHEN l.created_at > r.fresh_since THEN r.fresh_points WHEN l.created_at > r.recent_since THEN r.recent_points
              ELSE 0::smallint END AS age_points,
            CASE
              WHEN l.domain IS NULL OR l.domain IN (SELECT f.domain FROM free_mail_domains f) THEN 0::smallint
              WHEN right(l.domain, 4) IN ('.edu', '.gov') THEN r.edu_gov_domain_points
              WHEN length(l.domain) < r.short_domain_length THEN r.short_domain_points
              ELSE 0::smallint
            END AS domain_points,
            CASE WHEN l.website_visited OR (p_engagement AND g.visits > 0) THEN r.website_visited_points ELSE 0::smallint END
              AS website_points,
            CASE WHEN l.demo_requested OR (p_engagement AND g.demos > 0) THEN r.demo_requested_points ELSE 0::smallint END AS demo_points,
            CASE WHEN l.pricing_page_viewed OR (p_engagement AND g.pricing_views > 0) THEN r.pricing_page_viewed_points
              ELSE 0::smallint END AS pricing_points
          OFFSET 0
        ) AS points
      ) AS summing
      OFFSET 0
    ) AS capping
  ) AS p
  WHERE l.lead_id BETWEEN p_first AND p_last
$$;

-- The default point table for one lead's facts; immutable and inlinable. Points for source and UTM are passed and capped at 5 each; a
-- domain is judged as passed.
CREATE FUNCTION calculate_lead_score(
  p_lead_ext_id varchar,
  p_engagement_replies int DEFAULT 0,
  p_engagement_clicks int DEFAULT 0,
  p_engagement_opens int DEFAULT 0,
  p_has_email boolean DEFAULT false,
  p_has_phone boolean DEFAULT false,
  p_has_name boolean DEFAULT false,
  p_source_score int DEFAULT 0,
  p_utm_score int DEFAULT 0,
  p_days_since_created int DEFAULT 0,
  p_company_domain varchar DEFAULT NULL,
  p_website_visited boolean DEFAULT false,
  p_demo_requested boolean DEFAULT false,
  p_pricing_page_viewed boolean DEFAULT false
) RETURNS int
LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$
  SELECT least(100,
    20
    + CASE WHEN p_has_email THEN 10 ELSE 0 END
    + CASE WHEN p_has_phone THEN 5 ELSE 0 END
    + CASE WHEN p_has_name THEN 5 ELSE 0 END
    + CASE WHEN p_engagement_replies >= 2 THEN 25 WHEN p_engagement_replies = 1 THEN 15 ELSE 0 END
    + CASE WHEN p_engagement_clicks >= 2 THEN 12 WHEN p_engagement_clicks = 1 THEN 8 ELSE 0 END
    + CASE WHEN p_engagement_opens >= 4 THEN 15 WHEN p_engagement_opens = 3 THEN 10 WHEN p_engagement_opens = 2 THEN 5 ELSE 0 END
    + least(greatest(coalesce(p_source_score, 0), 0), 5)
    + least(greatest(coalesce(p_utm_score, 0), 0), 5)
    + CASE WHEN p_days_since_created <= 7 THEN 10 WHEN p_days_since_created <= 30 THEN 5 ELSE 0 END
    + CASE
        WHEN coalesce(btrim(p_company_domain, E' \t\r\n'), '') = '' THEN 0
        WHEN right(lower(btrim(p_company_domain, E' \t\r\n')), 4) IN ('.edu', '.gov') THEN 5
        WHEN length(btrim(p_company_domain, E' \t\r\n')) < 15 THEN 3
        ELSE 0
      END
    + CASE WHEN p_website_visited THEN 3 ELSE 0 END
    + CASE WHEN p_demo_requested THEN 10 ELSE 0 END
    + CASE WHEN p_pricing_page_viewed THEN 5 ELSE 0 END)
$$;
