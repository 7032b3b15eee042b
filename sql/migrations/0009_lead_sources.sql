-- Lead sources: other names of a lead, saved column mappings, known bots, and the staging tables of imports.

-- A person who came in under a second external id keeps one lead; the other ids stay known here, so that later imports and events under
-- them reach the lead.
CREATE TABLE lead_aliases (
  alias_ext_id varchar(128) PRIMARY KEY,
  ext_id varchar(128) NOT NULL REFERENCES leads (ext_id) ON UPDATE CASCADE ON DELETE CASCADE,
  matched_by varchar(16) NOT NULL,
  created_at timestamptz NOT NULL DEFAULT sales_now(),
  CHECK (alias_ext_id <> ext_id)
);
CREATE INDEX idx_lead_aliases_lead ON lead_aliases (ext_id);
COMMENT ON COLUMN lead_aliases.matched_by IS 'what the two had in common: email or phone';

CREATE TABLE lead_import_mappings (
  name varchar(64) PRIMARY KEY CHECK (name ~ '^[a-z0-9][a-z0-9_-]*$'),
  kind varchar(16) NOT NULL CHECK (kind IN ('leads', 'engagement')),
  document text NOT NULL,
  created_at timestamptz NOT NULL DEFAULT sales_now(),
  updated_at timestamptz NOT NULL DEFAULT sales_now()
);
COMMENT ON COLUMN lead_import_mappings.document IS 'YAML as its author wrote it, comments included; checked when saved and when used';

-- Programs that open and click like a reader: a LIKE pattern in lower case, compared with the user agent in lower case.
-- Not here: proxies that load a picture when a person opens the message (GoogleImageProxy, YahooMailProxy), and Office itself.
CREATE TABLE bot_patterns (
  pattern varchar(128) PRIMARY KEY CHECK (pattern = lower(pattern) AND pattern <> ''),
  reason varchar(64) NOT NULL,
  event_type varchar(16) CHECK (event_type IN ('reply', 'click', 'open', 'visit', 'demo', 'pricing'))
);
COMMENT ON COLUMN bot_patterns.event_type IS 'only events of this type; null = all';

INSERT INTO bot_patterns (pattern, reason) VALUES
  ('%barracuda%', 'mail scanner'), ('%mimecast%', 'mail scanner'), ('%proofpoint%', 'mail scanner'), ('%urldefense%', 'mail scanner'),
  ('%safelinks%', 'mail scanner'), ('%messagelabs%', 'mail scanner'), ('%symantec%', 'mail scanner'), ('%trendmicro%', 'mail scanner'),
  ('%trend micro%', 'mail scanner'), ('%fireeye%', 'mail scanner'), ('%ironport%', 'mail scanner'), ('%sophos%', 'mail scanner'),
  ('%forcepoint%', 'mail scanner'), ('%websense%', 'mail scanner'), ('%mcafee%', 'mail scanner'), ('%zscaler%', 'mail scanner'),
  ('%fortinet%', 'mail scanner'), ('%fortiguard%', 'mail scanner'), ('%cloudmark%', 'mail scanner'), ('%hornetsecurity%', 'mail scanner'),
  ('%vadesecure%', 'mail scanner'), ('%mailscanner%', 'mail scanner'), ('%spamassassin%', 'mail scanner'),
  ('%paloaltonetworks%', 'mail scanner'), ('%check point%', 'mail scanner'), ('%google-safety%', 'mail scanner'),
  ('%slackbot%', 'link preview'), ('%facebookexternalhit%', 'link preview'), ('%facebot%', 'link preview'),
  ('%twitterbot%', 'link preview'), ('%linkedinbot%', 'link preview'), ('whatsapp/%', 'link preview'), ('%telegrambot%', 'link preview'),
  ('%discordbot%', 'link preview'), ('%skypeuripreview%', 'link preview'), ('%bingpreview%', 'link preview'),
  ('%embedly%', 'link preview'), ('%iframely%', 'link preview'), ('%pinterestbot%', 'link preview'), ('%redditbot%', 'link preview'),
  ('%googlebot%', 'crawler'), ('%bingbot%', 'crawler'), ('%yandexbot%', 'crawler'), ('%duckduckbot%', 'crawler'),
  ('%applebot%', 'crawler'), ('%baiduspider%', 'crawler'), ('%bot/%', 'crawler'), ('%bot;%', 'crawler'), ('%crawler%', 'crawler'),
  ('%spider%', 'crawler'), ('%linkcheck%', 'crawler'), ('%urlscan%', 'crawler'), ('%virustotal%', 'crawler'),
  ('%headlesschrome%', 'automation'), ('%phantomjs%', 'automation'), ('%puppeteer%', 'automation'), ('%playwright%', 'automation'),
  ('%selenium%', 'automation'), ('curl/%', 'automation'), ('wget/%', 'automation'), ('%python-requests%', 'automation'),
  ('%python-urllib%', 'automation'), ('%python-httpx%', 'automation'), ('%aiohttp%', 'automation'), ('%go-http-client%', 'automation'),
  ('java/%', 'automation'), ('%apache-httpclient%', 'automation'), ('%libwww-perl%', 'automation'), ('%scrapy%', 'automation'),
  ('%node-fetch%', 'automation'), ('axios/%', 'automation'), ('ruby%', 'automation'), ('%postmanruntime%', 'automation');

-- Apple Mail's privacy protection loads every picture in advance, read or not, and says nothing but this.
INSERT INTO bot_patterns (pattern, reason, event_type) VALUES ('mozilla/5.0', 'privacy prefetch', 'open');

-- Imports under way. A whole run is staged before any of it is applied, so that a fault in the last line is known before the first lead
-- is written, and so that repeated rows are folded whatever batches they fall in.
CREATE TABLE lead_imports (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  heartbeat_at timestamptz NOT NULL
);
COMMENT ON COLUMN lead_imports.heartbeat_at IS 'wall clock; rows of an import that fell silent are dropped by the next one';

-- Unlogged: not worth its WAL, a run that loses it starts again. No temporary table: it would not outlive a transaction behind a pooler.
-- seq counts the rows of a run in the order they were read; the columns after target are those of leads, null = not given.
CREATE UNLOGGED TABLE lead_import_rows (
  import_id bigint NOT NULL,
  seq bigint NOT NULL,
  target varchar(128),
  ext_id varchar(128) NOT NULL,
  source varchar(32),
  first_name varchar(128),
  last_name varchar(128),
  email varchar(256),
  phone varchar(64),
  utm_source varchar(128),
  utm_campaign varchar(128),
  created_at timestamptz,
  company_name varchar(256),
  company_domain varchar(253),
  website_visited boolean,
  demo_requested boolean,
  pricing_page_viewed boolean,
  industry varchar(64),
  product_interest varchar(64),
  language varchar(16),
  country varchar(64),
  region varchar(64),
  time_zone varchar(64),
  consent_email boolean,
  consent_phone boolean,
  estimated_value numeric(12, 2),
  attributes text,
  file int,
  line bigint,
  raw text,
  PRIMARY KEY (import_id, seq)
) WITH (autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_threshold = 10000);
COMMENT ON COLUMN lead_import_rows.target IS 'the lead that this row fills, found by alias, e-mail or phone; null = the lead of its own ext_id';
COMMENT ON COLUMN lead_import_rows.attributes IS 'a JSON object';

CREATE UNLOGGED TABLE lead_import_events (
  import_id bigint NOT NULL,
  seq bigint NOT NULL,
  lead_ext_id varchar(128),
  email varchar(256),
  event_type varchar(16) NOT NULL,
  occurred_at timestamptz NOT NULL,
  source varchar(64) NOT NULL,
  source_event_id varchar(128) NOT NULL,
  user_agent text,
  bot_reason varchar(64),
  metadata text,
  file int NOT NULL,
  line bigint NOT NULL,
  raw text NOT NULL,
  PRIMARY KEY (import_id, seq)
) WITH (autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_threshold = 10000);

-- People that a dry run would have created or filled, so that its later rows find them as a real run's would.
CREATE UNLOGGED TABLE lead_import_people (
  import_id bigint NOT NULL,
  ext_id varchar(128) NOT NULL,
  seq bigint NOT NULL,
  email_key text,
  phone_key text,
  first_name_key text,
  last_name_key text
);
CREATE INDEX idx_lead_import_people_email ON lead_import_people (import_id, email_key);
CREATE INDEX idx_lead_import_people_phone ON lead_import_people (import_id, phone_key);
