-- How deals ended by the stage and source they were met in, for where no model answers: days spent in the stage, days of them in deals that were won,
-- and the number of deals. Counted in days because open deals are met the more often the longer they stay. Of the newest deals only the quick ones
-- have ended, and those are won more often: deals count that came in before nine of ten would have ended by now. What is said to be longer ago than
-- 30 years, or infinitely long, counts as 30 years.
WITH closed AS (
  SELECT
    p.id, p.source, least(greatest(p.qualified_at, b.oldest), @as_of) AS qualified_at, greatest(p.closed_at, b.oldest) AS closed_at,
    p.stage = 'closed_won' AS won
  FROM sales_pipeline p
  CROSS JOIN (SELECT @as_of::timestamptz - interval '30 years' AS oldest) AS b
  WHERE p.closed_at <= @as_of
), mature AS (
  SELECT c.*
  FROM closed c
  WHERE c.qualified_at <= @as_of - (SELECT percentile_disc(0.9) WITHIN GROUP (ORDER BY k.closed_at - k.qualified_at) FROM closed k)
), spells AS (
  SELECT
    h.pipeline_id, h.to_stage, greatest(h.changed_at, @as_of::timestamptz - interval '30 years') AS changed_at,
    lead(greatest(h.changed_at, @as_of::timestamptz - interval '30 years')) OVER (PARTITION BY h.pipeline_id ORDER BY h.changed_at, h.id) AS until_at
  FROM sales_stage_history h
  JOIN mature m ON m.id = h.pipeline_id
  WHERE h.changed_at <= @as_of
)
SELECT s.to_stage::text, l.source::text, sum(d.days), coalesce(sum(d.days) FILTER (WHERE m.won), 0), count(DISTINCT m.id)
FROM spells s
JOIN mature m ON m.id = s.pipeline_id
JOIN sales_pipeline p ON p.id = m.id
JOIN leads l ON l.ext_id = p.lead_ext_id
CROSS JOIN LATERAL (SELECT greatest(extract(epoch FROM coalesce(s.until_at, m.closed_at) - s.changed_at) / 86400, 0.01)::double precision AS days) AS d
WHERE s.to_stage < 'closed_won'
GROUP BY s.to_stage, l.source
