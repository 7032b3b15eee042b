-- Drift: how far the open deals of a day are from those a model was trained on, and how past predictions compare with what happened.
CREATE TABLE ml_drift (
  model_id bigint NOT NULL REFERENCES ml_models (id) ON DELETE CASCADE,
  day date NOT NULL,
  measure varchar(16) NOT NULL CHECK (measure IN ('psi', 'calibration')),
  feature varchar(64) NOT NULL,
  value double precision CHECK (value >= 0),
  level varchar(8) NOT NULL CHECK (level IN ('stable', 'moderate', 'high', 'unknown')),
  deals int NOT NULL,
  expected double precision,
  observed double precision,
  computed_at timestamptz NOT NULL DEFAULT sales_now(),
  PRIMARY KEY (model_id, day, measure, feature),
  CONSTRAINT ml_drift_value_with_level CHECK ((value IS NULL) = (level = 'unknown'))
);
COMMENT ON TABLE ml_drift IS 'one row per model, UTC day, measure and feature; written at most once a day by ml predict, ml train and ml drift';
COMMENT ON COLUMN ml_drift.measure IS
  'psi: population stability index of a feature, training against open deals; calibration: expected calibration error of past predictions (feature is empty)';
COMMENT ON COLUMN ml_drift.level IS
  'psi: stable below 0.1, moderate below 0.25, else high; calibration: stable up to 0.05, moderate up to 0.1, else high; unknown: too few deals';
COMMENT ON COLUMN ml_drift.deals IS 'psi: open deals compared; calibration: deals that were predicted by the model and ended since';
COMMENT ON COLUMN ml_drift.expected IS 'calibration: mean predicted win probability';
COMMENT ON COLUMN ml_drift.observed IS 'calibration: share that was won';

-- The latest day of each published model: what a report or an alert reads.
CREATE VIEW v_ml_drift AS
SELECT m.kind, d.model_id, d.day, d.measure, d.feature, d.value, d.level, d.deals, d.expected, d.observed
FROM ml_models AS m
JOIN ml_drift AS d ON d.model_id = m.id
WHERE m.status = 'published' AND d.day = (SELECT max(l.day) FROM ml_drift AS l WHERE l.model_id = m.id);
COMMENT ON VIEW v_ml_drift IS 'drift of the published models on the latest day it was measured';
