-- Published models that were trained more than 30 days ago; critical after 90.
-- title en: Models that have grown old
-- title es: Modelos envejecidos
-- text en: model {model} ({algorithm}) was trained {days} d ago
-- text es: el modelo {model} ({algorithm}) se entrenó hace {days} d
INSERT INTO alert_situations (kind, situation_key, severity, weight, facts)
SELECT
  'model_stale', model_kind, severity, age_days, jsonb_build_object('model', model_id, 'kind', model_kind, 'algorithm', algorithm, 'days', age_days)
FROM v_model_health
WHERE severity IS NOT NULL
