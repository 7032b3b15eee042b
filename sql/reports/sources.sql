-- By lead source: leads created in the period and in the one before, deals qualified, won and lost in the period.
WITH incoming AS (
  SELECT source::text AS source, count(*) FILTER (WHERE created_at >= @from_at) AS leads, count(*) FILTER (WHERE created_at < @from_at) AS before
  FROM leads
  WHERE created_at >= @previous_at AND created_at < @to_at
  GROUP BY source
),
deals AS (
  SELECT
    l.source::text AS source,
    count(*) FILTER (WHERE p.qualified_at >= @from_at AND p.qualified_at < @to_at) AS qualified,
    count(*) FILTER (WHERE p.stage = 'closed_won' AND p.closed_at < @to_at) AS won,
    count(*) FILTER (WHERE p.stage = 'closed_lost' AND p.closed_at < @to_at) AS lost,
    sum(p.estimated_value) FILTER (WHERE p.stage = 'closed_won' AND p.closed_at < @to_at) AS won_value
  FROM sales_pipeline p
  JOIN leads l ON l.ext_id = p.lead_ext_id
  WHERE p.qualified_at < @to_at AND (p.qualified_at >= @from_at OR (p.closed_at >= @from_at AND p.closed_at < @to_at))
  GROUP BY l.source
)
SELECT
  source,
  coalesce(i.leads, 0) AS new_leads,
  coalesce(i.before, 0) AS new_leads_before,
  coalesce(d.qualified, 0) AS qualified,
  coalesce(d.won, 0) AS won,
  coalesce(d.lost, 0) AS lost,
  d.won / nullif(d.won + d.lost, 0)::double precision AS win_rate,
  wilson_low(d.won, d.won + d.lost) AS win_rate_low,
  wilson_high(d.won, d.won + d.lost) AS win_rate_high,
  coalesce(d.won_value, 0) AS won_value
FROM incoming i
FULL JOIN deals d USING (source)
ORDER BY coalesce(d.won_value, 0) DESC, coalesce(i.leads, 0) DESC, source
