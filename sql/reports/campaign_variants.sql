-- Steps that are tried in variants: all their messages up to the end of the period, replies as in v_campaign_variants up to that end, and
-- each variant against the step's first one (Newcombe 1998, method 10); credible where the interval of the difference leaves out zero.
WITH message AS (
  SELECT
    x.campaign_id, v.lead_ext_id, v.step_number, v.executed_at,
    coalesce(v.metadata ->> 'variant', x.metadata ->> 'variant', '') AS variant,
    least(lead(v.executed_at) OVER (PARTITION BY v.execution_id ORDER BY v.executed_at, v.step_number, v.id),
      v.executed_at + interval '14 days', @to_at) AS until
  FROM sales_campaign_events v
  JOIN sales_campaign_executions x ON x.id = v.execution_id
  WHERE v.event_type IN ('email_sent', 'call_made') AND v.status IN ('sent', 'delivered', 'completed') AND v.executed_at < @to_at
),
tried AS (
  SELECT campaign_id, step_number
  FROM message
  GROUP BY campaign_id, step_number
  HAVING count(DISTINCT variant) > 1
),
counted AS (
  SELECT
    m.campaign_id, m.step_number, m.variant, count(*) AS sent,
    count(*) FILTER (WHERE EXISTS (
      SELECT FROM lead_engagement_events g
      WHERE g.lead_ext_id = m.lead_ext_id AND g.event_type = 'reply' AND NOT g.is_bot
        AND g.occurred_at >= m.executed_at AND g.occurred_at < m.until)) AS replied
  FROM message m
  JOIN tried t ON t.campaign_id = m.campaign_id AND t.step_number IS NOT DISTINCT FROM m.step_number
  GROUP BY m.campaign_id, m.step_number, m.variant
),
bounded AS (
  SELECT k.*, k.replied / k.sent::double precision AS share, wilson_low(k.replied, k.sent) AS low, wilson_high(k.replied, k.sent) AS high
  FROM counted k
),
compared AS (
  SELECT
    b.*,
    CASE WHEN b.variant <> first_value(b.variant) OVER step THEN b.share - first_value(b.share) OVER step END AS difference,
    sqrt((b.share - b.low) ^ 2 + (first_value(b.high) OVER step - first_value(b.share) OVER step) ^ 2) AS below,
    sqrt((b.high - b.share) ^ 2 + (first_value(b.share) OVER step - first_value(b.low) OVER step) ^ 2) AS above
  FROM bounded b
  WINDOW step AS (PARTITION BY b.campaign_id, b.step_number ORDER BY b.variant)
)
SELECT
  s.name::text AS campaign, c.step_number AS step, c.variant, c.sent, c.replied, c.share AS reply_share, c.low AS reply_low, c.high AS reply_high,
  'share'::text AS unit,
  c.difference,
  CASE WHEN c.difference IS NOT NULL THEN c.difference - c.below END AS difference_low,
  CASE WHEN c.difference IS NOT NULL THEN c.difference + c.above END AS difference_high,
  c.difference - c.below > 0 OR c.difference + c.above < 0 AS credible
FROM compared c
JOIN sales_campaigns s ON s.id = c.campaign_id
ORDER BY s.name, c.step_number, c.variant
