-- Which open deals ml predict has to look at. Spans of time count in days, so what is known of a deal changes at midnight UTC or when somebody writes:
-- the first run of a UTC day looks at every open deal, the others at those on the list.

-- Deals to look at: something was written that counts from due_at on (-infinity: whatever instant a run works at). Append-only, so that writers never
-- wait for each other or for predictions; a run deletes what its snapshot saw, so a change that commits meanwhile keeps its row.
CREATE TABLE deal_prediction_due (
  pipeline_id bigint NOT NULL,
  id bigint GENERATED ALWAYS AS IDENTITY (CACHE 100),
  due_at timestamptz NOT NULL DEFAULT '-infinity',
  PRIMARY KEY (pipeline_id, id)
) WITH (autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_threshold = 1000);
COMMENT ON TABLE deal_prediction_due IS 'deals that ml predict looks at again; rows of one deal add up to one look';
COMMENT ON COLUMN deal_prediction_due.due_at IS 'what was written counts from this instant on; a task of tomorrow is nothing today';

-- Predicting works in blocks of 4,096 consecutive deals (id >> 12): the unit of "looked at today with these settings", of writing and of turns.
CREATE TABLE deal_prediction_blocks (
  block bigint PRIMARY KEY,
  settings varchar(64) NOT NULL DEFAULT '',
  looked_at timestamptz NOT NULL DEFAULT '-infinity',
  deals int NOT NULL DEFAULT 0,
  version bigint NOT NULL DEFAULT 0
) WITH (fillfactor = 50);
COMMENT ON TABLE deal_prediction_blocks IS 'how far ml predict has come';
COMMENT ON COLUMN deal_prediction_blocks.settings IS 'of models, parameters and program, when all of its deals were looked at; empty: they have to be';
COMMENT ON COLUMN deal_prediction_blocks.looked_at IS 'the newest instant a run worked at: rows due by then are off the list';
COMMENT ON COLUMN deal_prediction_blocks.deals IS 'open deals when it was looked at';
COMMENT ON COLUMN deal_prediction_blocks.version IS 'grows whenever a run writes: what was read before is out of date then';

-- Events count from occurred_at on; those of bots never do.
CREATE FUNCTION deals_follow_events() RETURNS trigger
LANGUAGE plpgsql SET search_path FROM CURRENT
AS $$
BEGIN
  IF TG_OP = 'INSERT' THEN
    INSERT INTO deal_prediction_due (pipeline_id, due_at)
    SELECT p.id, n.occurred_at FROM new_rows n JOIN sales_pipeline p ON p.lead_ext_id = n.lead_ext_id WHERE NOT n.is_bot;
  ELSIF TG_OP = 'DELETE' THEN
    INSERT INTO deal_prediction_due (pipeline_id, due_at)
    SELECT p.id, o.occurred_at FROM old_rows o JOIN sales_pipeline p ON p.lead_ext_id = o.lead_ext_id WHERE NOT o.is_bot;
  ELSE
    INSERT INTO deal_prediction_due (pipeline_id, due_at)
    SELECT p.id, c.occurred_at
    FROM old_rows o
    JOIN new_rows n USING (id)
    CROSS JOIN LATERAL (VALUES (o.lead_ext_id, o.occurred_at, o.is_bot), (n.lead_ext_id, n.occurred_at, n.is_bot)) AS c (lead_ext_id, occurred_at, is_bot)
    JOIN sales_pipeline p ON p.lead_ext_id = c.lead_ext_id
    WHERE (o.lead_ext_id, o.event_type, o.occurred_at, o.is_bot) IS DISTINCT FROM (n.lead_ext_id, n.event_type, n.occurred_at, n.is_bot) AND NOT c.is_bot;
  END IF;
  RETURN NULL;
END
$$;
CREATE TRIGGER engagement_inserted_for_deals AFTER INSERT ON lead_engagement_events
REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION deals_follow_events();
CREATE TRIGGER engagement_updated_for_deals AFTER UPDATE ON lead_engagement_events
REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION deals_follow_events();
CREATE TRIGGER engagement_deleted_for_deals AFTER DELETE ON lead_engagement_events
REFERENCING OLD TABLE AS old_rows FOR EACH STATEMENT EXECUTE FUNCTION deals_follow_events();

-- A stage counts from changed_at on. New deals and deals that open or close come through here too.
CREATE FUNCTION deals_follow_stages() RETURNS trigger
LANGUAGE plpgsql SET search_path FROM CURRENT
AS $$
BEGIN
  IF TG_OP = 'INSERT' THEN
    INSERT INTO deal_prediction_due (pipeline_id, due_at) SELECT n.pipeline_id, n.changed_at FROM new_rows n;
  ELSIF TG_OP = 'DELETE' THEN
    -- Not where the deal itself went.
    INSERT INTO deal_prediction_due (pipeline_id, due_at)
    SELECT o.pipeline_id, o.changed_at FROM old_rows o JOIN sales_pipeline p ON p.id = o.pipeline_id;
  ELSE
    INSERT INTO deal_prediction_due (pipeline_id, due_at)
    SELECT c.pipeline_id, c.changed_at
    FROM old_rows o
    JOIN new_rows n USING (id)
    CROSS JOIN LATERAL (VALUES (o.pipeline_id, o.changed_at), (n.pipeline_id, n.changed_at)) AS c (pipeline_id, changed_at)
    WHERE (o.pipeline_id, o.to_stage, o.changed_at) IS DISTINCT FROM (n.pipeline_id, n.to_stage, n.changed_at);
  END IF;
  RETURN NULL;
END
$$;
CREATE TRIGGER stage_history_inserted_for_deals AFTER INSERT ON sales_stage_history
REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION deals_follow_stages();
CREATE TRIGGER stage_history_updated_for_deals AFTER UPDATE ON sales_stage_history
REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION deals_follow_stages();
CREATE TRIGGER stage_history_deleted_for_deals AFTER DELETE ON sales_stage_history
REFERENCING OLD TABLE AS old_rows FOR EACH STATEMENT EXECUTE FUNCTION deals_follow_stages();

-- A task is pending from created_at on, and ends at completed_at or, skipped or cancelled, at updated_at.
CREATE FUNCTION deals_follow_tasks() RETURNS trigger
LANGUAGE plpgsql SET search_path FROM CURRENT
AS $$
BEGIN
  IF TG_OP = 'INSERT' THEN
    INSERT INTO deal_prediction_due (pipeline_id, due_at)
    SELECT n.pipeline_id, c.at
    FROM new_rows n
    CROSS JOIN LATERAL (VALUES (n.created_at), (nullif(greatest(n.completed_at, n.created_at), n.created_at)), (
      CASE WHEN n.status IN ('skipped', 'cancelled') THEN nullif(greatest(n.updated_at, n.created_at), n.created_at) END)) AS c (at)
    WHERE c.at IS NOT NULL;
  ELSE
    INSERT INTO deal_prediction_due (pipeline_id, due_at)
    SELECT o.pipeline_id, o.created_at FROM old_rows o JOIN sales_pipeline p ON p.id = o.pipeline_id;
  END IF;
  RETURN NULL;
END
$$;
CREATE TRIGGER followup_tasks_inserted_for_deals AFTER INSERT ON sales_followup_tasks
REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION deals_follow_tasks();
CREATE TRIGGER followup_tasks_deleted_for_deals AFTER DELETE ON sales_followup_tasks
REFERENCING OLD TABLE AS old_rows FOR EACH STATEMENT EXECUTE FUNCTION deals_follow_tasks();

-- Where the same task ends at another instant, only what is after the earlier of both is another.
CREATE FUNCTION deal_follows_task() RETURNS trigger
LANGUAGE plpgsql SET search_path FROM CURRENT
AS $$
BEGIN
  INSERT INTO deal_prediction_due (pipeline_id, due_at)
  SELECT DISTINCT c.pipeline_id, c.at
  FROM (VALUES
    (OLD.pipeline_id, OLD.created_at, true), (NEW.pipeline_id, NEW.created_at, true),
    (OLD.pipeline_id, OLD.completed_at, false), (NEW.pipeline_id, NEW.completed_at, false),
    (OLD.pipeline_id, CASE WHEN OLD.status IN ('skipped', 'cancelled') THEN OLD.updated_at END, false),
    (NEW.pipeline_id, CASE WHEN NEW.status IN ('skipped', 'cancelled') THEN NEW.updated_at END, false)) AS c (pipeline_id, at, is_begin)
  WHERE c.at IS NOT NULL
    AND (NOT c.is_begin OR (OLD.pipeline_id, OLD.task_type, OLD.created_at) IS DISTINCT FROM (NEW.pipeline_id, NEW.task_type, NEW.created_at));
  RETURN NULL;
END
$$;
CREATE TRIGGER followup_task_updated_for_deal AFTER UPDATE ON sales_followup_tasks
FOR EACH ROW WHEN (
  (OLD.pipeline_id, OLD.task_type, OLD.created_at, OLD.completed_at, CASE WHEN OLD.status IN ('skipped', 'cancelled') THEN OLD.updated_at END)
  IS DISTINCT FROM
  (NEW.pipeline_id, NEW.task_type, NEW.created_at, NEW.completed_at, CASE WHEN NEW.status IN ('skipped', 'cancelled') THEN NEW.updated_at END))
EXECUTE FUNCTION deal_follows_task();

-- What has no instant of its own counts at once, whatever instant a run works at. A column list, so that scores do not even queue an event.
CREATE FUNCTION deal_follows_lead() RETURNS trigger
LANGUAGE plpgsql SET search_path FROM CURRENT
AS $$
BEGIN
  INSERT INTO deal_prediction_due (pipeline_id) SELECT p.id FROM sales_pipeline p WHERE p.lead_ext_id IN (OLD.ext_id, NEW.ext_id);
  RETURN NULL;
END
$$;
CREATE TRIGGER leads_changed_for_deals AFTER UPDATE OF source, product_interest, industry, phone, created_at ON leads
FOR EACH ROW WHEN (
  (OLD.source, OLD.product_interest, OLD.industry, OLD.has_phone, OLD.created_at)
  IS DISTINCT FROM (NEW.source, NEW.product_interest, NEW.industry, NEW.has_phone, NEW.created_at))
EXECUTE FUNCTION deal_follows_lead();

-- The deal's own value; another lead; metadata that somebody wrote without the prediction.
CREATE FUNCTION deal_is_due() RETURNS trigger
LANGUAGE plpgsql SET search_path FROM CURRENT
AS $$
BEGIN
  INSERT INTO deal_prediction_due (pipeline_id) VALUES (NEW.id);
  RETURN NULL;
END
$$;
CREATE TRIGGER sales_pipeline_prediction_due AFTER UPDATE OF lead_ext_id, estimated_value, metadata ON sales_pipeline
FOR EACH ROW WHEN (
  (OLD.lead_ext_id, OLD.estimated_value) IS DISTINCT FROM (NEW.lead_ext_id, NEW.estimated_value)
  OR (coalesce(NEW.metadata -> 'ml_predictions', 'null') = 'null' AND NEW.metadata IS DISTINCT FROM OLD.metadata))
EXECUTE FUNCTION deal_is_due();

-- The learned days between contacts.
CREATE FUNCTION deals_follow_timing() RETURNS trigger
LANGUAGE plpgsql SET search_path FROM CURRENT
AS $$
BEGIN
  IF TG_OP = 'UPDATE' THEN
    INSERT INTO deal_prediction_due (pipeline_id)
    SELECT p.id
    FROM ((SELECT lead_ext_id, interval_days FROM old_rows EXCEPT SELECT lead_ext_id, interval_days FROM new_rows)
      UNION (SELECT lead_ext_id, interval_days FROM new_rows EXCEPT SELECT lead_ext_id, interval_days FROM old_rows)) AS c
    JOIN sales_pipeline p ON p.lead_ext_id = c.lead_ext_id;
  ELSE
    INSERT INTO deal_prediction_due (pipeline_id) SELECT p.id FROM changed_rows c JOIN sales_pipeline p ON p.lead_ext_id = c.lead_ext_id;
  END IF;
  RETURN NULL;
END
$$;
CREATE TRIGGER contact_timing_inserted_for_deals AFTER INSERT ON lead_contact_timing
REFERENCING NEW TABLE AS changed_rows FOR EACH STATEMENT EXECUTE FUNCTION deals_follow_timing();
CREATE TRIGGER contact_timing_updated_for_deals AFTER UPDATE ON lead_contact_timing
REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION deals_follow_timing();
CREATE TRIGGER contact_timing_deleted_for_deals AFTER DELETE ON lead_contact_timing
REFERENCING OLD TABLE AS changed_rows FOR EACH STATEMENT EXECUTE FUNCTION deals_follow_timing();

-- Somebody else's hand on predictions: they come back. A run's own replace each other.
CREATE FUNCTION prediction_is_due() RETURNS trigger
LANGUAGE plpgsql SET search_path FROM CURRENT
AS $$
BEGIN
  INSERT INTO deal_prediction_due (pipeline_id) SELECT p.id FROM sales_pipeline p WHERE p.id = OLD.pipeline_id;
  RETURN NULL;
END
$$;
CREATE TRIGGER deal_predictions_changed AFTER UPDATE OR DELETE ON deal_predictions
FOR EACH ROW WHEN (current_setting('salestasks.actor', true) IS DISTINCT FROM 'ml predict') EXECUTE FUNCTION prediction_is_due();

-- What may concern any deal: all have to be looked at, and what a run has read until now is out of date.
CREATE FUNCTION every_deal_is_due() RETURNS trigger
LANGUAGE plpgsql SET search_path FROM CURRENT
AS $$
BEGIN
  PERFORM 1 FROM deal_prediction_blocks ORDER BY block FOR UPDATE;
  UPDATE deal_prediction_blocks SET settings = '', version = version + 1;
  RETURN NULL;
END
$$;
CREATE TRIGGER engagement_truncated_for_deals AFTER TRUNCATE ON lead_engagement_events FOR EACH STATEMENT EXECUTE FUNCTION every_deal_is_due();
CREATE TRIGGER stage_history_truncated_for_deals AFTER TRUNCATE ON sales_stage_history FOR EACH STATEMENT EXECUTE FUNCTION every_deal_is_due();
CREATE TRIGGER followup_tasks_truncated_for_deals AFTER TRUNCATE ON sales_followup_tasks FOR EACH STATEMENT EXECUTE FUNCTION every_deal_is_due();
CREATE TRIGGER contact_timing_truncated_for_deals AFTER TRUNCATE ON lead_contact_timing FOR EACH STATEMENT EXECUTE FUNCTION every_deal_is_due();
CREATE TRIGGER deal_predictions_truncated AFTER TRUNCATE ON deal_predictions FOR EACH STATEMENT EXECUTE FUNCTION every_deal_is_due();

CREATE OR REPLACE FUNCTION deals_deleted() RETURNS trigger
LANGUAGE plpgsql SET search_path FROM CURRENT
AS $$
BEGIN
  DELETE FROM deal_predictions WHERE pipeline_id IN (SELECT id FROM removed);
  DELETE FROM deal_prediction_history WHERE pipeline_id IN (SELECT id FROM removed);
  DELETE FROM deal_prediction_due WHERE pipeline_id IN (SELECT id FROM removed);
  RETURN NULL;
END $$;
CREATE OR REPLACE FUNCTION deals_truncated() RETURNS trigger
LANGUAGE plpgsql SET search_path FROM CURRENT
AS $$
BEGIN
  TRUNCATE deal_predictions, deal_prediction_history, deal_prediction_due, deal_prediction_blocks;
  RETURN NULL;
END $$;
