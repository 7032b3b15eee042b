-- Takes open deals that meet the criteria into a campaign, each lead once ever, the most urgent first when @limit is reached, and counts
-- those that meet them but cannot be reached: no valid address, consent refused or address suppressed on a channel the campaign uses. Those
-- that could be reached and that the running experiment holds out are counted too.
--
-- Inserted in the order of the lead: two runs that met here would wait for each other in one order.
WITH matching AS MATERIALIZED (
  SELECT l.lead_ext_id, l.pipeline_id, l.priority, l.score, l.email, l.phone, l.consent_email, l.consent_phone
  FROM campaign_leads l
  WHERE l.stage < 'closed_won'
    AND (@stages::text[] IS NULL OR l.stage = ANY (@stages::text[]::pipeline_stage[]))
    AND (@score_min::int IS NULL OR l.score >= @score_min)
    AND (@score_max::int IS NULL OR l.score <= @score_max)
    AND (@priorities::text[] IS NULL OR l.priority = ANY (@priorities::text[]::priority_level[]))
    AND (@sources::text[] IS NULL OR lower(btrim(l.source)) = ANY (@sources))
    AND (@utm_campaigns::text[] IS NULL OR lower(btrim(l.utm_campaign)) = ANY (@utm_campaigns))
    AND (@value_min::numeric IS NULL OR l.estimated_value >= @value_min)
    AND (@days_min::int IS NULL OR l.quiet_since <= @as_of - make_interval(days => @days_min))
    AND NOT EXISTS (SELECT FROM sales_campaign_executions e WHERE e.campaign_id = @campaign AND e.lead_ext_id = l.lead_ext_id)
),
eligible AS MATERIALIZED (
  SELECT
    m.*,
    CASE
      WHEN (@email AND m.email IS NULL) OR (@phone AND m.phone IS NULL) THEN 'without_address'
      WHEN (@email AND m.consent_email = false) OR (@phone AND m.consent_phone = false) THEN 'consent_refused'
      -- EXISTS, not IN: that would hash all suppressions, and beyond what fits read them once for each lead.
      WHEN (@email AND EXISTS (SELECT FROM suppressions s WHERE s.address_hash = address_hash('email', m.email)))
        OR (@phone AND EXISTS (SELECT FROM suppressions s WHERE s.address_hash = address_hash('phone', m.phone))) THEN 'suppressed'
      -- Nothing is looked up where no experiment runs.
      WHEN (SELECT EXISTS (SELECT FROM experiments WHERE ended_at IS NULL))
        AND EXISTS (SELECT FROM held_out_leads h WHERE h.lead_ext_id = m.lead_ext_id) THEN 'held_out'
    END AS obstacle
  FROM matching m
),
enrolled AS (
  INSERT INTO sales_campaign_executions (
    campaign_id, lead_ext_id, pipeline_id, status, current_step, total_steps, started_at, next_action_at, created_at, updated_at)
  SELECT
    @campaign, best.lead_ext_id, best.pipeline_id, 'active', 0, @total_steps, @as_of, @as_of + make_interval(secs => @delay_seconds), @as_of,
    @as_of
  FROM (
    SELECT g.pipeline_id, g.lead_ext_id
    FROM eligible g
    WHERE g.obstacle IS NULL
    ORDER BY g.priority DESC NULLS LAST, g.score DESC NULLS LAST, g.pipeline_id
    LIMIT @limit
  ) AS best
  ORDER BY best.lead_ext_id
  ON CONFLICT (campaign_id, lead_ext_id) DO NOTHING
  RETURNING 1
)
SELECT
  (SELECT count(*) FROM enrolled),
  count(*) FILTER (WHERE obstacle IS NULL),
  count(*) FILTER (WHERE obstacle = 'without_address'),
  count(*) FILTER (WHERE obstacle = 'consent_refused'),
  count(*) FILTER (WHERE obstacle = 'suppressed'),
  count(*) FILTER (WHERE obstacle = 'held_out')
FROM eligible
