-- The latest drift of the published models, the largest first.
SELECT kind, model_id, day, measure, feature, value, level, deals, expected, observed
FROM v_ml_drift
ORDER BY model_id, measure, value DESC NULLS LAST, feature
