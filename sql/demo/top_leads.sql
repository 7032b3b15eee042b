-- The five open deals with the highest score, and the five points that add most to each.
SELECT
  p.lead_ext_id,
  concat_ws(', ', coalesce(nullif(concat_ws(' ', l.first_name, l.last_name), ''), l.email), l.company_name) AS who,
  p.stage::text,
  l.score,
  (
    SELECT coalesce(string_agg(replace(f.name, '_', ' ') || ' ' || to_char(f.points, 'FMSG990'), ', ' ORDER BY f.points DESC, f.name), '')
    FROM (
      SELECT factor.key AS name, factor.value::int AS points
      FROM jsonb_each_text(h.scoring_factors -> 'factors') AS factor
      WHERE factor.value::int > 0 AND factor.key <> 'base'
      ORDER BY points DESC, name
      LIMIT 5
    ) f
  ) AS why
FROM sales_pipeline p
JOIN leads l ON l.ext_id = p.lead_ext_id
LEFT JOIN LATERAL (
  SELECT s.scoring_factors
  FROM lead_score_history s
  WHERE s.lead_ext_id = p.lead_ext_id
  ORDER BY s.calculated_at DESC, s.id DESC
  LIMIT 1
) h ON true
WHERE p.stage < 'closed_won' AND l.score IS NOT NULL
ORDER BY l.score DESC, p.estimated_value DESC NULLS LAST, l.lead_id
LIMIT 5
