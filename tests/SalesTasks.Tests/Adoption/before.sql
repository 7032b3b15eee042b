-- An installation as it may be found: the bare tables, text where the contract has lists, instants without a zone, own columns, views, keys,
-- triggers and functions, and years of careless rows.
CREATE TYPE priority_level AS ENUM ('LOW', 'HIGH');
CREATE TABLE leads (
  ext_id text, source text, first_name text, last_name text, email text, phone text, score float8, priority text, utm_source text,
  utm_campaign text, created_at timestamp, updated_at timestamp, branch text DEFAULT 'north', tier priority_level, domain text, wishes json
);
INSERT INTO leads (ext_id, source, first_name, last_name, email, phone, score, priority, created_at, updated_at, branch, tier, domain, wishes) VALUES
  ('a', 'organic', 'Ana', 'Ruiz', 'Ana@Acme.example', '+34 600 111 222', 71.6, 'hot', '2024-01-05 10:00', '2024-02-01 10:00', 'south', 'HIGH', 'acme.example', '{"colour": "blue"}'),
  ('a', 'paid', 'Ana', NULL, 'old@acme.example', NULL, 10, 'low', '2023-01-05 10:00', '2023-02-01 10:00', NULL, NULL, NULL, NULL),
  ('b', NULL, repeat('x', 200), E'Con\x01trol', 'b@acme.example', NULL, 150, 'whatever', '2999-01-01', NULL, NULL, NULL, NULL, '{"broken": "\u0000"}'),
  ('c', 'a source with a name much longer than thirty-two characters', 'C', 'C', NULL, NULL, 'NaN', 'High', '0044-03-15 BC', NULL, NULL, NULL, NULL, NULL),
  (NULL, 'organic', 'Nobody', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
  ('d', 'referral', 'Dora', NULL, 'dora@acme.example', NULL, 55, 'medium', '2024-03-01', '2024-03-01', NULL, NULL, NULL, NULL),
  (repeat('k', 300), 'organic', 'Long', NULL, 'long@acme.example', NULL, 5, NULL, '2024-03-01', '2024-03-01', NULL, NULL, NULL, NULL);
CREATE INDEX leads_branch ON leads (branch);

CREATE TABLE lead_score_history (
  id serial PRIMARY KEY, lead_ext_id varchar(300), score int, previous_score int, priority varchar(10), score_change int, scoring_factors text,
  calculated_at timestamp, calculated_by text, run_label text
);
INSERT INTO lead_score_history (lead_ext_id, score, previous_score, priority, scoring_factors, calculated_at, calculated_by, run_label) VALUES
  ('a', 60, NULL, 'high', '{"base": 20}', '2024-01-06', 'automated_scoring', NULL), ('a', 71, 60, 'HIGH', 'no json', '2024-02-06', 'somebody', 'spring'),
  ('gone', 5, NULL, 'low', NULL, '2024-01-06', NULL, NULL), ('d', 130, -4, 'low', NULL, NULL, NULL, NULL), ('d', NULL, 5, 'low', NULL, '2024-01-06', NULL, NULL);

CREATE TABLE sales_pipeline (
  id serial PRIMARY KEY, lead_ext_id text, email text, first_name text, last_name text, phone text, score int, priority text, source text,
  utm_source text, utm_campaign text, stage text DEFAULT 'qualified', assigned_to text, qualified_at timestamp, first_contact_at timestamp,
  last_contact_at timestamp, next_followup_at timestamp, closed_at timestamp, estimated_value text, probability_pct float8, notes text,
  metadata text, created_at timestamp DEFAULT now(), updated_at timestamp DEFAULT now(), budget_code varchar(20) DEFAULT 'none'
);
INSERT INTO sales_pipeline (id, lead_ext_id, email, stage, priority, assigned_to, qualified_at, last_contact_at, closed_at, estimated_value, probability_pct, metadata, created_at, updated_at, budget_code) VALUES
  (1, 'a', 'ana@acme.example', 'qualified', 'high', 'Rep@Sales.example', '2024-01-10', NULL, NULL, '$1,234.50', 20, '{"x": 1}', '2024-01-10', '2024-01-10', 'B1'),
  (2, 'a', 'ana@acme.example', 'Proposal', 'high', ' Rep@Sales.example ', '2024-01-12', '2024-02-20', '2024-02-21', '1500', 130, '[1, 2]', '2024-01-12', '2024-02-20', 'B2'),
  (3, 'b', NULL, 'WON', 'urgent', '', '2024-01-12', '2024-02-20', NULL, '-5', 99.5, 'not json', '2024-01-12', '2024-03-20', NULL),
  (4, 'missing', 'new@acme.example', 'Discovery', 'x', NULL, NULL, NULL, NULL, '99999999999999', -3, NULL, '2024-01-12', '2024-03-20', NULL),
  (5, NULL, 'DORA@acme.example', 'closed_lost', 'low', NULL, '2024-01-12', NULL, '2999-01-01', '10.005', 0, '{}', '2024-01-12', '2024-03-20', NULL),
  (6, NULL, 'unknown@acme.example', 'mystery', 'low', NULL, '2024-01-12', NULL, '2024-05-01', 'a lot', 50, '{}', '2024-01-12', '2024-03-20', NULL);
SELECT setval('sales_pipeline_id_seq', 6);

CREATE TABLE sales_followup_tasks (
  id bigint, pipeline_id int, lead_ext_id text, task_type text, task_title text, task_description text, status text, priority text,
  assigned_to text, due_date timestamp, completed_at timestamp, completed_by text, metadata jsonb, created_at timestamp, updated_at timestamp
);
INSERT INTO sales_followup_tasks (id, pipeline_id, lead_ext_id, task_type, task_title, status, priority, completed_at, created_at, due_date) VALUES
  (1, 1, 'a', 'phone', 'Call', 'Done', 'P1', NULL, '2024-01-10', '2024-01-11'), (1, 2, 'a', 'email', '', 'open', NULL, '2024-01-10', '2024-01-10', NULL),
  (3, 99, 'a', 'fax', 'Fax', 'weird', 'low', NULL, '2024-01-10', '2024-01-11'), (4, 99, 'gone', 'call', 'Lost', 'pending', 'low', NULL, NULL, NULL),
  (NULL, 5, 'x', 'email', 'Write', 'canceled', 'urgent', NULL, '2024-01-10', '2024-01-11');

CREATE TABLE sales_campaigns (
  id serial PRIMARY KEY, name text, description text, campaign_type text, trigger_criteria json, steps_config jsonb, enabled int,
  max_leads_per_run int, created_at timestamptz, updated_at timestamptz
);
INSERT INTO sales_campaigns (name, campaign_type, trigger_criteria, steps_config, enabled, max_leads_per_run, created_at) VALUES
  ('Welcome', 'email', '{"stage": "qualified"}', '[{"type": "email", "delay_hours": 0, "subject": "Hello", "body": "Hello {{ first_name }}"}, {"type": "call", "delay_hours": 24, "body": "Call"}]', 1, 50, '2024-01-01'),
  ('Welcome', 'drip', NULL, '{"steps": []}', 0, -1, NULL), (NULL, 'odd', '[]', NULL, NULL, NULL, NULL);

CREATE TABLE sales_campaign_executions (
  id serial PRIMARY KEY, campaign_id int, lead_ext_id text, pipeline_id int, status text, current_step int, total_steps int, started_at timestamp,
  completed_at timestamp, next_action_at timestamp, metadata jsonb, created_at timestamp, updated_at timestamp
);
INSERT INTO sales_campaign_executions (campaign_id, lead_ext_id, pipeline_id, status, current_step, total_steps, started_at, next_action_at, updated_at) VALUES
  (1, 'a', 1, 'active', 0, 2, '2024-01-10', '2024-01-11', '2024-01-12'), (1, 'a', 2, 'running', 0, 2, '2024-01-10', '2024-01-11', '2024-01-11'),
  (99, 'a', 1, 'active', 0, 2, '2024-01-10', NULL, NULL), (2, 'gone', NULL, 'active', 0, 2, NULL, NULL, NULL), (2, 'd', 5, 'odd', 9, 2, NULL, NULL, NULL);
CREATE TABLE sales_campaign_events (
  id serial PRIMARY KEY, execution_id int, lead_ext_id text, step_number int, event_type text, status text, executed_at text, metadata jsonb, created_at timestamp
);
INSERT INTO sales_campaign_events (execution_id, lead_ext_id, step_number, event_type, status, executed_at, created_at) VALUES
  (1, 'a', 0, 'email_sent', 'sent', '2024-01-10T10:00:00+02:00', '2024-01-10'), (2, 'a', 1, 'call', 'ok', '1704880000', '2024-01-11'),
  (99, 'a', 1, 'email_sent', 'sent', NULL, NULL), (5, NULL, -1, 'smoke_signal', 'pending', 'yesterday', NULL);

CREATE TABLE invoices (id int PRIMARY KEY, pipeline_id int REFERENCES sales_pipeline (id), amount numeric);
INSERT INTO invoices VALUES (1, 1, 10), (2, 3, 20);

CREATE FUNCTION calculate_lead_score(p_lead varchar) RETURNS int LANGUAGE sql AS 'SELECT 42';
CREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN NEW.updated_at := now(); RETURN NEW; END';
CREATE TRIGGER leads_touch BEFORE UPDATE ON leads FOR EACH ROW EXECUTE FUNCTION touch();
CREATE VIEW v_sales_dashboard AS SELECT id, email FROM sales_pipeline;
CREATE MATERIALIZED VIEW mv_sales_metrics AS SELECT count(*) AS deals FROM sales_pipeline;
CREATE VIEW board_plain AS SELECT id, email, estimated_value FROM sales_pipeline;
CREATE VIEW board_hot AS SELECT l.ext_id, l.branch, p.stage, p.budget_code, p.qualified_at FROM leads l JOIN sales_pipeline p ON p.lead_ext_id = l.ext_id WHERE p.priority = 'high' AND p.stage <> 'closed_won';
CREATE VIEW board_count AS SELECT stage, count(*) AS deals FROM board_hot GROUP BY stage;
CREATE MATERIALIZED VIEW board_materialized AS SELECT email, count(*) AS deals FROM sales_pipeline GROUP BY email;
CREATE UNIQUE INDEX board_materialized_email ON board_materialized (email);
CREATE VIEW board_of_dashboard AS SELECT count(*) AS rows FROM v_sales_dashboard;
