-- What each source brought, from its leads to revenue; over all time.
SELECT
  l.source::text AS source, count(*) AS leads, round(avg(l.score), 1) AS avg_score, count(p.id) AS qualified,
  round(100.0 * count(p.id) / count(*), 1) AS qualified_pct,
  count(*) FILTER (WHERE p.stage = 'closed_won') AS won, count(*) FILTER (WHERE p.stage = 'closed_lost') AS lost,
  round(100.0 * count(*) FILTER (WHERE p.stage = 'closed_won') / nullif(count(*) FILTER (WHERE p.stage >= 'closed_won'), 0), 1) AS win_rate_pct,
  coalesce(sum(p.estimated_value) FILTER (WHERE p.stage = 'closed_won'), 0) AS revenue,
  coalesce(sum(p.estimated_value * p.probability_pct / 100) FILTER (WHERE p.stage < 'closed_won'), 0)::numeric(16, 2) AS weighted_pipeline
FROM leads l
LEFT JOIN sales_pipeline p ON p.lead_ext_id = l.ext_id
GROUP BY l.source
ORDER BY revenue DESC, leads DESC, source
LIMIT @limit::int
