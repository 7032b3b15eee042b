-- Leads that have no score. Degraded 12 hours after they came, two runs of scoring; critical after two days.
-- title en: Scoring
-- title es: Puntuación
-- text en: {changes} scores changed in 24 h; {unscored} leads without a score
-- text es: {changes} puntuaciones cambiadas en 24 h; {unscored} leads sin puntuar
SELECT
  NULL::text AS subject,
  CASE WHEN u.oldest < sales_now() - interval '2 days' THEN 'critical' WHEN u.oldest < sales_now() - interval '12 hours' THEN 'warning' END AS severity,
  '' AS variant,
  jsonb_build_object('changes', c.changes, 'unscored', u.unscored)::text AS facts
FROM (SELECT count(*) AS unscored, min(created_at) AS oldest FROM leads WHERE score IS NULL) AS u
CROSS JOIN (
  SELECT count(*) AS changes FROM lead_scores WHERE calculated_at > sales_now() - interval '24 hours' AND calculated_at <= sales_now()
) AS c
