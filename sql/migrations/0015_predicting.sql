-- What models say about open deals: the latest of each, and all of it over time.

-- The latest prediction of each deal. No foreign key: a check a row would be a tenth of the cost of writing it; a trigger below keeps the reference.
CREATE TABLE deal_predictions (
  pipeline_id bigint PRIMARY KEY,
  predicted_at timestamptz NOT NULL,
  inputs_hash bigint NOT NULL,
  parts smallint NOT NULL,
  answered_by varchar(16) NOT NULL CHECK (answered_by IN ('model', 'prior', 'endpoint')),
  win_model bigint,
  value_model bigint,
  time_model bigint,
  risk_model bigint,
  log_odds double precision NOT NULL,
  base_log_odds double precision,
  other_log_odds double precision,
  contributions json NOT NULL DEFAULT '[]',
  probability double precision NOT NULL CHECK (probability BETWEEN 0 AND 1),
  probability_low double precision,
  probability_high double precision,
  risk double precision NOT NULL CHECK (risk BETWEEN 0 AND 1),
  confidence double precision NOT NULL CHECK (confidence BETWEEN 0 AND 1),
  value double precision,
  value_low double precision,
  value_high double precision,
  expected_value double precision,
  days_p10 double precision,
  days_p50 double precision,
  days_p90 double precision,
  recommendations json NOT NULL DEFAULT '[]',
  probability_pct int
) WITH (fillfactor = 85);

COMMENT ON TABLE deal_predictions IS 'the latest prediction of each deal; sales_pipeline.metadata.ml_predictions holds its short form';
COMMENT ON COLUMN deal_predictions.inputs_hash IS 'of everything the prediction follows from, models and parameters included; equal = not computed again';
COMMENT ON COLUMN deal_predictions.parts IS 'what of it belongs to inputs_hash: 1 probability and risk, 2 value, 4 time to close, 8 probability_pct; the rest is older';
COMMENT ON COLUMN deal_predictions.answered_by IS 'model = published model; prior = rates by stage and source; endpoint = external model';
COMMENT ON COLUMN deal_predictions.win_model IS 'ml_models.id; null: no such model answered';
COMMENT ON COLUMN deal_predictions.contributions IS 'the largest, as [feature, its value, log-odds]; base_log_odds + these + other_log_odds = log_odds';
COMMENT ON COLUMN deal_predictions.probability_low IS 'to probability_high: 80 % interval';
COMMENT ON COLUMN deal_predictions.expected_value IS 'probability x the deal''s own estimated_value, else x value';
COMMENT ON COLUMN deal_predictions.days_p50 IS 'half of such deals end within so many days; null: not within the model''s horizon, or no model';
COMMENT ON COLUMN deal_predictions.recommendations IS 'at most three, as [code, reason]';
COMMENT ON COLUMN deal_predictions.probability_pct IS 'what sales_pipeline.probability_pct was set to; null: left alone';

-- Every prediction ever made, for grading them by what happened. Append-only.
CREATE TABLE deal_prediction_history (
  pipeline_id bigint NOT NULL,
  predicted_at timestamptz NOT NULL,
  win_model bigint,
  value_model bigint,
  time_model bigint,
  risk_model bigint,
  answered_by varchar(16) NOT NULL,
  probability real NOT NULL,
  probability_low real,
  probability_high real,
  risk real NOT NULL,
  value real,
  days_p10 real,
  days_p50 real,
  days_p90 real
);
CREATE INDEX idx_prediction_history_deal ON deal_prediction_history (pipeline_id);
CREATE INDEX idx_prediction_history_time ON deal_prediction_history USING brin (predicted_at);

COMMENT ON TABLE deal_prediction_history IS 'every prediction as it was made; append-only, so that past ones can be compared with what happened';

CREATE FUNCTION deals_deleted() RETURNS trigger
LANGUAGE plpgsql SET search_path FROM CURRENT
AS $$
BEGIN
  DELETE FROM deal_predictions WHERE pipeline_id IN (SELECT id FROM removed);
  DELETE FROM deal_prediction_history WHERE pipeline_id IN (SELECT id FROM removed);
  RETURN NULL;
END $$;
CREATE TRIGGER sales_pipeline_deleted AFTER DELETE ON sales_pipeline
REFERENCING OLD TABLE AS removed FOR EACH STATEMENT EXECUTE FUNCTION deals_deleted();
CREATE FUNCTION deals_truncated() RETURNS trigger
LANGUAGE plpgsql SET search_path FROM CURRENT
AS $$
BEGIN
  TRUNCATE deal_predictions, deal_prediction_history;
  RETURN NULL;
END $$;
CREATE TRIGGER sales_pipeline_truncated AFTER TRUNCATE ON sales_pipeline FOR EACH STATEMENT EXECUTE FUNCTION deals_truncated();

-- The model's scores of leads: which inputs they follow from. A score that stays the same makes no lead due.
ALTER TABLE lead_model_scores ADD COLUMN inputs_hash bigint;
COMMENT ON COLUMN lead_model_scores.inputs_hash IS 'of what the score of a lead without a deal follows from; null: it follows its deal, or came from elsewhere';

DROP TRIGGER model_score_updated ON lead_model_scores;
CREATE FUNCTION model_score_updated() RETURNS trigger
LANGUAGE plpgsql SET search_path FROM CURRENT
AS $$
BEGIN
  INSERT INTO lead_score_due (lead_id)
  SELECT n.lead_id FROM changed_rows n LEFT JOIN old_rows o USING (lead_id)
  WHERE (n.model_score, n.model_version) IS DISTINCT FROM (o.model_score, o.model_version);
  -- A row that was renumbered is gone under its old number.
  INSERT INTO lead_score_due (lead_id) SELECT o.lead_id FROM old_rows o WHERE NOT EXISTS (SELECT FROM changed_rows n WHERE n.lead_id = o.lead_id);
  RETURN NULL;
END $$;
CREATE TRIGGER model_score_updated AFTER UPDATE ON lead_model_scores
REFERENCING OLD TABLE AS old_rows NEW TABLE AS changed_rows FOR EACH STATEMENT EXECUTE FUNCTION model_score_updated();
