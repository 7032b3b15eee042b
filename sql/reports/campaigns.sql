-- By campaign: leads that entered and left in the period, those under way at its end, messages sent in it and what came of them by its end. A
-- reply or click belongs to the last message before it, for 14 days at most, as in v_campaign_variants; those of bots count for nothing.
WITH message AS (
  SELECT x.campaign_id, v.lead_ext_id, v.executed_at, v.event_type,
    least(lead(v.executed_at) OVER (PARTITION BY v.execution_id ORDER BY v.executed_at, v.step_number, v.id),
      v.executed_at + interval '14 days', @to_at) AS until
  FROM sales_campaign_events v
  JOIN sales_campaign_executions x ON x.id = v.execution_id
  WHERE v.event_type IN ('email_sent', 'call_made') AND v.status IN ('sent', 'delivered', 'completed')
    AND v.executed_at >= @from_at AND v.executed_at < @to_at::timestamptz + interval '14 days'
),
answered AS (
  SELECT
    m.campaign_id,
    count(*) FILTER (WHERE m.event_type = 'email_sent') AS emails,
    count(*) FILTER (WHERE m.event_type = 'call_made') AS calls,
    count(*) FILTER (WHERE a.clicked) AS clicked,
    count(*) FILTER (WHERE a.replied) AS replied
  FROM message m
  CROSS JOIN LATERAL (
    SELECT coalesce(bool_or(g.event_type = 'click'), false) AS clicked, coalesce(bool_or(g.event_type = 'reply'), false) AS replied
    FROM lead_engagement_events g
    WHERE g.lead_ext_id = m.lead_ext_id AND g.event_type IN ('click', 'reply') AND NOT g.is_bot
      AND g.occurred_at >= m.executed_at AND g.occurred_at < m.until
  ) a
  WHERE m.executed_at < @to_at
  GROUP BY m.campaign_id
),
runs AS (
  SELECT
    campaign_id,
    count(*) FILTER (WHERE started_at >= @from_at AND started_at < @to_at) AS entered,
    count(*) FILTER (WHERE status = 'completed' AND completed_at >= @from_at AND completed_at < @to_at) AS completed,
    count(*) FILTER (WHERE status = 'stopped' AND completed_at >= @from_at AND completed_at < @to_at) AS stopped,
    count(*) FILTER (WHERE started_at < @to_at AND (status IN ('active', 'paused') OR completed_at >= @to_at)) AS under_way
  FROM sales_campaign_executions
  GROUP BY campaign_id
)
SELECT
  c.name::text AS campaign,
  r.entered, r.completed, r.stopped, r.under_way,
  coalesce(a.emails, 0) AS emails,
  coalesce(a.calls, 0) AS calls,
  coalesce(a.clicked, 0) AS clicked,
  coalesce(a.replied, 0) AS replied,
  a.replied / nullif(a.emails + a.calls, 0)::double precision AS reply_share,
  wilson_low(a.replied, a.emails + a.calls) AS reply_low,
  wilson_high(a.replied, a.emails + a.calls) AS reply_high
FROM runs r
JOIN sales_campaigns c ON c.id = r.campaign_id
LEFT JOIN answered a ON a.campaign_id = r.campaign_id
WHERE r.entered + r.completed + r.stopped + r.under_way + coalesce(a.emails + a.calls, 0) > 0
ORDER BY coalesce(a.emails + a.calls, 0) DESC, c.name
