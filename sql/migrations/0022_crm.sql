-- The CRM sync: which of our records is which of theirs, what both sides agreed on last, what is to be written there, what was decided
-- where both had changed, how far their changes were read, and how many calls are left.

-- A CRM that is in use, so that a database without one pays for nothing: the triggers below write only while it is.
CREATE TABLE crm_states (
  crm varchar(16) PRIMARY KEY CHECK (crm IN ('hubspot', 'salesforce')),
  used_at timestamptz NOT NULL,
  scores_read_to timestamptz NOT NULL
);
COMMENT ON TABLE crm_states IS 'the CRMs that leads and deals are synchronised with';
COMMENT ON COLUMN crm_states.used_at IS 'the last push; after 30 days without one changes are no longer listed, and the next push looks at everything';
COMMENT ON COLUMN crm_states.scores_read_to IS 'score changes are known up to here, from the score history';

-- Leads that changed, themselves or their deal. Append-only: nobody who writes leads waits for the sync.
CREATE TABLE crm_changes (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  crm varchar(16) NOT NULL,
  lead_ext_id varchar(128) NOT NULL,
  changed_at timestamptz NOT NULL DEFAULT sales_now()
);
COMMENT ON TABLE crm_changes IS 'leads that changed since the last push, until it has looked at them';

-- One record on both sides. A deal is its lead's, of which there is one.
CREATE TABLE crm_links (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  crm varchar(16) NOT NULL REFERENCES crm_states (crm),
  object varchar(8) NOT NULL CHECK (object IN ('lead', 'deal')),
  key varchar(128) NOT NULL,
  lead_ext_id varchar(128),
  crm_id varchar(64),
  status varchar(16) NOT NULL DEFAULT 'active' CHECK (status IN ('active', 'deleted_here', 'deleted_there', 'merged')),
  merged_into varchar(64),
  our_base jsonb NOT NULL DEFAULT '{}',
  their_base jsonb NOT NULL DEFAULT '{}',
  their_modified_at timestamptz,
  version int NOT NULL DEFAULT 0,
  pending boolean NOT NULL DEFAULT true,
  changes int NOT NULL DEFAULT 0,
  changed_at timestamptz NOT NULL DEFAULT sales_now(),
  sending jsonb,
  lease_token uuid,
  lease_until timestamptz,
  related_to varchar(64),
  problem text,
  problem_values jsonb,
  failed_at timestamptz,
  synced_at timestamptz,
  created_at timestamptz NOT NULL DEFAULT sales_now(),
  UNIQUE (crm, object, key),
  CONSTRAINT crm_links_lease CHECK ((lease_token IS NULL) = (lease_until IS NULL))
) WITH (fillfactor = 70);
CREATE UNIQUE INDEX crm_links_lead_key ON crm_links (crm, object, lead_ext_id) WHERE lead_ext_id IS NOT NULL;
CREATE INDEX crm_links_lead ON crm_links (lead_ext_id) WHERE lead_ext_id IS NOT NULL;
CREATE UNIQUE INDEX crm_links_crm_id_key ON crm_links (crm, object, crm_id) WHERE crm_id IS NOT NULL;
CREATE INDEX crm_links_pending ON crm_links (crm, object, id) WHERE pending;
CREATE INDEX crm_links_problem ON crm_links (crm, object, id) WHERE problem IS NOT NULL;
CREATE INDEX crm_links_unrelated ON crm_links (crm, id) WHERE object = 'deal' AND related_to IS NULL AND crm_id IS NOT NULL;

COMMENT ON TABLE crm_links IS 'which of our records is which of the CRM''s; a row is also the intention to write there, see pending and sending';
COMMENT ON COLUMN crm_links.key IS 'what we wrote into the CRM''s unique property of ours; fixed, so that a create whose answer was lost makes no second record';
COMMENT ON COLUMN crm_links.lead_ext_id IS
  'kept by triggers of leads and not by a foreign key: the link outlives its lead, without its values, so that the CRM''s record does not bring the lead back';
COMMENT ON COLUMN crm_links.status IS
  'active; deleted_here = our record is gone; deleted_there = theirs is, and is not made again; merged = theirs went into merged_into, which has a link of its own';
COMMENT ON COLUMN crm_links.our_base IS 'by field, our value when both sides were last in step, as the CRM writes it';
COMMENT ON COLUMN crm_links.their_base IS 'by field, the CRM''s value when both sides were last in step; differs from ours where it keeps another spelling';
COMMENT ON COLUMN crm_links.their_modified_at IS 'of the CRM''s record when it was last seen; what was read earlier is old news';
COMMENT ON COLUMN crm_links.version IS 'counts how often the two sides were put in step';
COMMENT ON COLUMN crm_links.pending IS 'a push has to look at it';
COMMENT ON COLUMN crm_links.changes IS 'counts what made it pending, so that a change during a push is not forgotten';
COMMENT ON COLUMN crm_links.sending IS 'by field, what a write that is under way sends; left behind by a run that ended without the answer, it may have arrived';
COMMENT ON COLUMN crm_links.lease_until IS 'on the server''s clock: until then the run with this token works on it';
COMMENT ON COLUMN crm_links.related_to IS 'a deal: the CRM''s lead it was attached to';
COMMENT ON COLUMN crm_links.problem IS 'why the CRM refused it, addresses masked; tried again when our values are no longer problem_values';

-- The values of a person must not outlive the person.
CREATE FUNCTION crm_link_loses_lead() RETURNS trigger
LANGUAGE plpgsql
AS $$
BEGIN
  NEW.status := CASE WHEN OLD.status = 'active' THEN 'deleted_here' ELSE OLD.status END;
  NEW.our_base := '{}';
  NEW.their_base := '{}';
  NEW.sending := NULL;
  NEW.problem := NULL;
  NEW.problem_values := NULL;
  NEW.failed_at := NULL;
  NEW.version := OLD.version + 1;
  NEW.pending := true;
  NEW.changes := OLD.changes + 1;
  RETURN NEW;
END
$$;
CREATE TRIGGER crm_links_lead_deleted BEFORE UPDATE OF lead_ext_id ON crm_links
FOR EACH ROW WHEN (NEW.lead_ext_id IS NULL AND OLD.lead_ext_id IS NOT NULL) EXECUTE FUNCTION crm_link_loses_lead();

-- What was decided where both sides had changed a field: nobody's edit disappears without a trace.
CREATE TABLE crm_conflicts (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  link_id bigint NOT NULL REFERENCES crm_links (id) ON DELETE CASCADE,
  lead_ext_id varchar(128) REFERENCES leads (ext_id) ON UPDATE CASCADE ON DELETE CASCADE,
  field varchar(64) NOT NULL,
  version int NOT NULL,
  base_value text,
  our_value text,
  their_value text,
  winner varchar(8) NOT NULL CHECK (winner IN ('ours', 'theirs')),
  reason varchar(16) NOT NULL CHECK (reason IN ('rule', 'newest', 'computed', 'direction', 'not_usable')),
  decided_at timestamptz NOT NULL DEFAULT sales_now(),
  run_id varchar(250),
  UNIQUE (link_id, version, field)
);
CREATE INDEX crm_conflicts_lead ON crm_conflicts (lead_ext_id);
COMMENT ON TABLE crm_conflicts IS 'journal of fields that both sides had changed; values as the CRM writes them';
COMMENT ON COLUMN crm_conflicts.version IS 'of the link, so that a decision taken again after a crash is written once';
COMMENT ON COLUMN crm_conflicts.reason IS
  'rule = the field''s rule; newest = by the instants of the change; computed = a field we calculate; direction = only one side is written; not_usable = their value means nothing here';

-- How far the CRM's changes and deletions were read. While a window is being read, window_to is set and page is where it goes on.
CREATE TABLE crm_cursors (
  crm varchar(16) NOT NULL REFERENCES crm_states (crm),
  object varchar(8) NOT NULL CHECK (object IN ('lead', 'deal')),
  feed varchar(16) NOT NULL CHECK (feed IN ('changes', 'deletions')),
  window_from timestamptz NOT NULL,
  window_to timestamptz,
  page varchar(512),
  updated_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  PRIMARY KEY (crm, object, feed)
);
COMMENT ON TABLE crm_cursors IS 'how far the CRM''s changes were read';

-- Their records that were read and are not yet merged, written together with the cursor.
CREATE TABLE crm_staged (
  crm varchar(16) NOT NULL REFERENCES crm_states (crm),
  object varchar(8) NOT NULL CHECK (object IN ('lead', 'deal')),
  crm_id varchar(64) NOT NULL,
  key varchar(128),
  modified_at timestamptz NOT NULL,
  deleted boolean NOT NULL DEFAULT false,
  merged_ids text[] NOT NULL DEFAULT '{}',
  related_id varchar(64),
  properties jsonb NOT NULL DEFAULT '{}',
  PRIMARY KEY (crm, object, crm_id)
);
COMMENT ON TABLE crm_staged IS 'records of the CRM that were read and are not yet merged';

-- The calls of a CRM within its window (HubSpot: 10 s) as slots. A call takes a free slot, and gives it back when its answer is there, to be
-- used again a window later: whatever delays a request has on its way, the CRM never counts more than there are slots.
CREATE TABLE crm_slots (
  connection_id varchar(250) NOT NULL,
  slot int NOT NULL,
  free_at timestamptz NOT NULL,
  PRIMARY KEY (connection_id, slot)
) WITH (fillfactor = 50);
COMMENT ON TABLE crm_slots IS 'calls to a CRM within its window, over all runs; instants of the server''s clock';

CREATE TABLE crm_quotas (
  connection_id varchar(250) PRIMARY KEY,
  day date NOT NULL,
  used int NOT NULL,
  paused_until timestamptz
) WITH (fillfactor = 50);
COMMENT ON TABLE crm_quotas IS 'calls to a CRM today (UTC), over all runs, and the pause it asked for';

-- Changes of leads and deals that a CRM may hold. Score and priority are not among them: a scoring pass over all leads stays free of
-- triggers, and the push reads score changes from the history.
CREATE FUNCTION crm_rows_added() RETURNS trigger
LANGUAGE plpgsql SET search_path FROM CURRENT
AS $$
BEGIN
  INSERT INTO crm_changes (crm, lead_ext_id)
  SELECT s.crm, a.lead_ext_id FROM crm_states s, added a WHERE s.used_at > now() - interval '30 days';
  RETURN NULL;
END
$$;

CREATE FUNCTION crm_leads_added() RETURNS trigger
LANGUAGE plpgsql SET search_path FROM CURRENT
AS $$
BEGIN
  INSERT INTO crm_changes (crm, lead_ext_id)
  SELECT s.crm, a.ext_id FROM crm_states s, added a WHERE s.used_at > now() - interval '30 days';
  RETURN NULL;
END
$$;

CREATE FUNCTION crm_lead_changed() RETURNS trigger
LANGUAGE plpgsql SET search_path FROM CURRENT
AS $$
BEGIN
  IF NEW.ext_id <> OLD.ext_id THEN
    UPDATE crm_links SET lead_ext_id = NEW.ext_id WHERE lead_ext_id = OLD.ext_id;
  END IF;
  INSERT INTO crm_changes (crm, lead_ext_id) SELECT s.crm, NEW.ext_id FROM crm_states s WHERE s.used_at > now() - interval '30 days';
  RETURN NULL;
END
$$;

CREATE FUNCTION crm_deal_changed() RETURNS trigger
LANGUAGE plpgsql SET search_path FROM CURRENT
AS $$
BEGIN
  INSERT INTO crm_changes (crm, lead_ext_id) SELECT s.crm, NEW.lead_ext_id FROM crm_states s WHERE s.used_at > now() - interval '30 days';
  RETURN NULL;
END
$$;

CREATE FUNCTION crm_deals_deleted() RETURNS trigger
LANGUAGE plpgsql SET search_path FROM CURRENT
AS $$
BEGIN
  UPDATE crm_links k
  SET status = 'deleted_here', pending = true, changes = k.changes + 1, our_base = '{}', their_base = '{}', version = k.version + 1, sending = NULL
  FROM removed r
  WHERE k.object = 'deal' AND k.lead_ext_id = r.lead_ext_id AND k.status = 'active';
  RETURN NULL;
END
$$;

CREATE FUNCTION crm_leads_deleted() RETURNS trigger
LANGUAGE plpgsql SET search_path FROM CURRENT
AS $$
BEGIN
  UPDATE crm_links k SET lead_ext_id = NULL FROM removed r WHERE k.lead_ext_id = r.ext_id;
  RETURN NULL;
END
$$;

CREATE TRIGGER leads_crm_deleted AFTER DELETE ON leads
REFERENCING OLD TABLE AS removed FOR EACH STATEMENT EXECUTE FUNCTION crm_leads_deleted();

CREATE TRIGGER leads_crm_added AFTER INSERT ON leads
REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION crm_leads_added();

CREATE TRIGGER leads_crm_changed
AFTER UPDATE OF ext_id, email, first_name, last_name, phone, company_name, industry, country, region, language, source, utm_source, utm_campaign ON leads
FOR EACH ROW WHEN (
  (NEW.ext_id, NEW.email, NEW.first_name, NEW.last_name, NEW.phone, NEW.company_name, NEW.industry, NEW.country, NEW.region, NEW.language, NEW.source,
   NEW.utm_source, NEW.utm_campaign)
  IS DISTINCT FROM
  (OLD.ext_id, OLD.email, OLD.first_name, OLD.last_name, OLD.phone, OLD.company_name, OLD.industry, OLD.country, OLD.region, OLD.language, OLD.source,
   OLD.utm_source, OLD.utm_campaign))
EXECUTE FUNCTION crm_lead_changed();

CREATE TRIGGER sales_pipeline_crm_added AFTER INSERT ON sales_pipeline
REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION crm_rows_added();

CREATE TRIGGER sales_pipeline_crm_changed
AFTER UPDATE OF stage, assigned_to, estimated_value, probability_pct, next_followup_at, closed_at, notes ON sales_pipeline
FOR EACH ROW WHEN (
  (NEW.stage, NEW.assigned_to, NEW.estimated_value, NEW.probability_pct, NEW.next_followup_at, NEW.closed_at, NEW.notes)
  IS DISTINCT FROM
  (OLD.stage, OLD.assigned_to, OLD.estimated_value, OLD.probability_pct, OLD.next_followup_at, OLD.closed_at, OLD.notes))
EXECUTE FUNCTION crm_deal_changed();

CREATE TRIGGER sales_pipeline_crm_deleted AFTER DELETE ON sales_pipeline
REFERENCING OLD TABLE AS removed FOR EACH STATEMENT EXECUTE FUNCTION crm_deals_deleted();
