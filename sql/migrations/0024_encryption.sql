-- Optional encryption of phone numbers and notes. The columns keep their names, types and lengths: where a value is sealed they hold a token
-- of at most 63 characters, and the value itself is here, encrypted by the program with a key that the server never sees. Copies of a
-- token in other tables of the same lead (its deal, messages, tasks) stand for the same value and need nothing of their own.
--
-- A token of a phone number that has more than five digits has more than five digits too: has_phone, which scoring, campaigns and models
-- read, comes out the same, and the digits, an HMAC of the number's digits, are what the index on the digits finds duplicates by.

-- One row while something may be sealed, none in a database that does not use it: what the program asks before it reads or writes such values.
CREATE TABLE encryption_state (
  singleton boolean PRIMARY KEY DEFAULT true CHECK (singleton),
  mode varchar(8) NOT NULL CHECK (mode IN ('on', 'ending')),
  since timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE encryption_state IS 'no row: nothing is sealed';
COMMENT ON COLUMN encryption_state.mode IS 'on: jobs seal what they write; ending: privacy decrypt is putting everything back, jobs only read what is sealed';

-- A wrong key is found before it is used. The value is an HMAC of a fixed text: it tells nothing of the key.
CREATE TABLE encryption_keys (
  purpose varchar(8) NOT NULL CHECK (purpose IN ('seal', 'index')),
  key_id varchar(32) NOT NULL,
  check_value bytea NOT NULL,
  first_used_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (purpose, key_id)
);
COMMENT ON TABLE encryption_keys IS 'keys that something was sealed with, by what they answer to a fixed text';

CREATE TABLE sealed_values (
  lead_id bigint NOT NULL REFERENCES leads (lead_id) ON DELETE CASCADE,
  token varchar(63) NOT NULL,
  key_id varchar(32) NOT NULL,
  sealed bytea NOT NULL,
  unused_since timestamptz,
  PRIMARY KEY (lead_id, token)
);
COMMENT ON TABLE sealed_values IS 'phone numbers and notes of leads, encrypted; the columns hold the token';
COMMENT ON COLUMN sealed_values.sealed IS 'AES-256-GCM; bound to the lead and the token, so that it opens in no other row';
COMMENT ON COLUMN sealed_values.unused_since IS 'nothing of the lead holds the token any more; deleted a day later';

-- What an import has staged. Unlogged like its other rows.
CREATE UNLOGGED TABLE lead_import_sealed (
  import_id bigint NOT NULL,
  token varchar(63) NOT NULL,
  sealed bytea NOT NULL,
  PRIMARY KEY (import_id, token)
);

-- A suppressed number stands in the list a second time as the hash of its token, so that every statement that looks a number up finds it,
-- sealed or not.
ALTER TABLE suppressions ADD COLUMN sealed boolean NOT NULL DEFAULT false;
COMMENT ON COLUMN suppressions.sealed IS 'the entry of a phone number, once more under its token';

-- Fields of the CRM sync's documents hold sealed texts, 'sealed:1:<id of the key>:...'. Whether one of those that count is in clear or under another key
-- than p_key; p_key empty: is in clear; null: is sealed.
CREATE FUNCTION sealed_otherwise(p_values jsonb, p_key text) RETURNS boolean
LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$
  SELECT coalesce(bool_or(CASE WHEN p_key IS NULL THEN f.value LIKE 'sealed:1:%'
    ELSE f.value NOT LIKE 'sealed:1:%' OR (p_key <> '' AND split_part(f.value, ':', 3) <> p_key) END), false)
  FROM (VALUES (p_values ->> 'phone'), (p_values ->> 'notes')) AS f (value)
  WHERE f.value <> ''
$$;

-- Sealing changes how a value is stored and not what it is: no score, no CRM record and no updated_at depends on it. The setting is one of the
-- transaction that seals; asking for it costs 0.3 microseconds a changed row.
CREATE OR REPLACE FUNCTION leads_changed() RETURNS trigger
LANGUAGE plpgsql
SET search_path FROM CURRENT
AS $$
BEGIN
  IF current_setting('salestasks.sealing', true) = 'on' THEN
    RETURN NULL;
  END IF;
  INSERT INTO lead_score_due (lead_id) VALUES (NEW.lead_id);
  RETURN NULL;
END $$;

CREATE OR REPLACE FUNCTION crm_lead_changed() RETURNS trigger
LANGUAGE plpgsql SET search_path FROM CURRENT
AS $$
BEGIN
  IF current_setting('salestasks.sealing', true) = 'on' THEN
    RETURN NULL;
  END IF;
  IF NEW.ext_id <> OLD.ext_id THEN
    UPDATE crm_links SET lead_ext_id = NEW.ext_id WHERE lead_ext_id = OLD.ext_id;
  END IF;
  INSERT INTO crm_changes (crm, lead_ext_id) SELECT s.crm, NEW.ext_id FROM crm_states s WHERE s.used_at > now() - interval '30 days';
  RETURN NULL;
END
$$;

CREATE OR REPLACE FUNCTION crm_deal_changed() RETURNS trigger
LANGUAGE plpgsql SET search_path FROM CURRENT
AS $$
BEGIN
  IF current_setting('salestasks.sealing', true) = 'on' THEN
    RETURN NULL;
  END IF;
  INSERT INTO crm_changes (crm, lead_ext_id) SELECT s.crm, NEW.lead_ext_id FROM crm_states s WHERE s.used_at > now() - interval '30 days';
  RETURN NULL;
END
$$;

CREATE OR REPLACE FUNCTION set_updated_at() RETURNS trigger
LANGUAGE plpgsql SET search_path FROM CURRENT
AS $$
BEGIN
  IF current_setting('salestasks.sealing', true) = 'on' THEN
    RETURN NEW;
  END IF;
  NEW.updated_at := sales_now();
  RETURN NEW;
END
$$;
