-- Enabled campaigns that cannot run: no steps, or a step or criterion of an unknown kind. Texts and templates are judged by campaigns list.
SELECT
  'warning' AS severity,
  concat('campaign ', c.name) AS subject,
  CASE WHEN s.steps = 0 THEN 'the campaign is enabled and has no steps' ELSE 'a step or a criterion is not what campaigns know; jobs leave it out' END AS detail,
  CASE WHEN s.steps = 0 THEN 'la campaña está activada y no tiene pasos' ELSE 'un paso o un criterio no es de los que conocen las campañas; los trabajos la omiten' END AS detail_es,
  format('sales-tasks campaigns show %L', c.name) AS fix
FROM sales_campaigns c
CROSS JOIN LATERAL (SELECT CASE jsonb_typeof(c.steps_config) WHEN 'array' THEN jsonb_array_length(c.steps_config) ELSE 0 END AS steps OFFSET 0) AS s
WHERE c.enabled AND (
  s.steps = 0
  OR EXISTS (
    SELECT
    FROM jsonb_array_elements(CASE jsonb_typeof(c.steps_config) WHEN 'array' THEN c.steps_config ELSE '[]' END) AS step (value)
    WHERE NOT coalesce(step.value ->> 'type' IN ('email', 'call', 'task', 'slack'), false)
      OR NOT coalesce(jsonb_typeof(step.value -> 'delay_hours') = 'number', true)
      OR coalesce(step.value ->> 'delay_hours', '0') LIKE '-%')
  OR jsonb_typeof(c.trigger_criteria) <> 'object'
  OR c.trigger_criteria - ARRAY['stage', 'score_min', 'score_max', 'priority', 'source', 'utm_campaign', 'estimated_value_min', 'days_since_contact_min'] <> '{}')
ORDER BY c.name
LIMIT 20
