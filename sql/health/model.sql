-- The published model and its age: v_model_health, as the alert model_stale has it. No model is no fault: rates by stage and source answer then.
-- title en: Model
-- title es: Modelo
-- text en: model {model} ({algorithm}), trained {days} d ago
-- text es: modelo {model} ({algorithm}), entrenado hace {days} d
-- text none en: none is published
-- text none es: ninguno publicado
SELECT
  m.model_kind AS subject, m.severity::text AS severity, CASE WHEN m.model_id IS NULL THEN 'none' ELSE '' END AS variant,
  jsonb_build_object('model', m.model_id, 'algorithm', m.algorithm, 'days', m.age_days)::text AS facts
FROM (SELECT) AS one
LEFT JOIN v_model_health m ON true
ORDER BY m.model_kind
