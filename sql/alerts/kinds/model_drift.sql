-- Published models whose last measured drift is high: features of the open deals far from those of the training, or past predictions far from what
-- happened (v_ml_drift). Silent where nothing is known. Critical where the predictions themselves are off.
-- title en: Models that no longer fit
-- title es: Modelos que ya no encajan
-- text en: model {model} ({kind}): {high} of {measured} measures are high on {day}; see ml drift
-- text es: modelo {model} ({kind}): {high} de {measured} medidas altas el {day}; mira ml drift
INSERT INTO alert_situations (kind, situation_key, severity, enters, weight, facts)
SELECT
  'model_drift', d.kind, CASE WHEN bool_or(d.level = 'high' AND d.measure = 'calibration') THEN 'critical' ELSE 'warning' END::alert_severity,
  bool_or(d.level = 'high'), count(*) FILTER (WHERE d.level = 'high'),
  jsonb_build_object(
    'model', d.model_id, 'kind', d.kind, 'high', count(*) FILTER (WHERE d.level = 'high'), 'measured', count(*) FILTER (WHERE d.level <> 'unknown'),
    'day', d.day)
FROM v_ml_drift d
GROUP BY d.kind, d.model_id, d.day
HAVING bool_or(d.level IN ('moderate', 'high'))
