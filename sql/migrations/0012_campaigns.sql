-- What running campaigns needs: what stops an execution, who enrolled in which run, and the figures of the variants.

COMMENT ON COLUMN sales_campaign_executions.metadata IS
  'variant: the one the lead gets; stop_reason: replied, deal_closed, consent_refused, suppressed, campaign_disabled';
COMMENT ON COLUMN sales_campaign_executions.next_action_at IS
  'when the next step is due; null while the message of the current step is on its way: the delay runs from its sending';

-- Batches are taken in this order; without the id, a whole campaign enrolled at one instant would be sorted for each of them.
DROP INDEX idx_campaign_executions_due;
CREATE INDEX idx_campaign_executions_due ON sales_campaign_executions (next_action_at, id) WHERE status = 'active';

-- The executions that wait for their message; few, because a message is sent within a window or two.
CREATE INDEX idx_campaign_executions_waiting ON sales_campaign_executions (id) WHERE status = 'active' AND next_action_at IS NULL;
-- What stop rules look at: all that is under way, however much has ended.
CREATE INDEX idx_campaign_executions_open ON sales_campaign_executions (campaign_id, status) WHERE status IN ('active', 'paused');
-- What goes on when its campaign is enabled again.
CREATE INDEX idx_campaign_executions_halted ON sales_campaign_executions (campaign_id)
WHERE status IN ('paused', 'stopped') AND metadata ->> 'stop_reason' = 'campaign_disabled';

-- Replies are rare, and every run asks for them.
CREATE INDEX idx_engagement_replies ON lead_engagement_events (lead_ext_id, occurred_at) WHERE event_type = 'reply' AND NOT is_bot;
CREATE INDEX idx_campaign_events_replies ON sales_campaign_events (execution_id) WHERE event_type = 'email_replied';

-- A lead with its deal as campaigns see it: where it can be reached (the lead's own address where it is valid, else that of the deal), and the
-- deal's facts before the lead's. One row a lead, with a deal or without.
CREATE VIEW campaign_leads AS
SELECT
  l.ext_id AS lead_ext_id, p.id AS pipeline_id, p.stage,
  CASE WHEN l.has_email THEN l.email WHEN p.email ~ '^[^@[:space:]]+@[^@[:space:]]+[.][^@.[:space:]]{2,}$' THEN p.email END AS email,
  CASE WHEN l.has_phone THEN l.phone WHEN p.phone ~ '([0-9][^0-9]*){6}' THEN p.phone END AS phone,
  l.consent_email, l.consent_phone, l.time_zone, l.language,
  coalesce(p.first_name, l.first_name) AS first_name, coalesce(p.last_name, l.last_name) AS last_name,
  l.company_name, coalesce(l.company_domain, l.domain) AS company_domain, l.industry, l.product_interest, l.country, l.region,
  coalesce(p.source, l.source) AS source, coalesce(p.utm_source, l.utm_source) AS utm_source,
  coalesce(p.utm_campaign, l.utm_campaign) AS utm_campaign,
  coalesce(p.score, l.score) AS score, coalesce(p.priority, l.priority) AS priority,
  coalesce(p.estimated_value, l.estimated_value) AS estimated_value,
  p.qualified_at, coalesce(p.last_contact_at, p.qualified_at) AS quiet_since,
  r.name AS rep_name, p.assigned_to, l.attributes
FROM leads l
LEFT JOIN sales_pipeline p ON p.lead_ext_id = l.ext_id
LEFT JOIN sales_reps r ON r.email = p.assigned_to;

-- Why an execution may not go on, null where it may. A reply counts from the lead's entry on, and those of bots count for nothing; consent and
-- suppression count on the channels the campaign uses, at the address it would use.
CREATE VIEW campaign_stop_reasons AS
SELECT
  e.id AS execution_id, e.lead_ext_id, e.status,
  CASE
    WHEN EXISTS (
      SELECT FROM lead_engagement_events g
      WHERE g.lead_ext_id = e.lead_ext_id AND g.event_type = 'reply' AND NOT g.is_bot AND g.occurred_at >= e.started_at)
      OR EXISTS (SELECT FROM sales_campaign_events v WHERE v.execution_id = e.id AND v.event_type = 'email_replied') THEN 'replied'
    WHEN l.stage >= 'closed_won' THEN 'deal_closed'
    WHEN (u.email AND l.consent_email = false) OR (u.phone AND l.consent_phone = false) THEN 'consent_refused'
    WHEN (u.email AND EXISTS (SELECT FROM suppressions s WHERE s.address_hash = address_hash('email', l.email)))
      OR (u.phone AND EXISTS (SELECT FROM suppressions s WHERE s.address_hash = address_hash('phone', l.phone))) THEN 'suppressed'
  END AS reason
FROM sales_campaign_executions e
JOIN sales_campaigns c ON c.id = e.campaign_id
CROSS JOIN LATERAL (
  SELECT c.steps_config @> '[{"type": "email"}]' AS email, c.steps_config @> '[{"type": "call"}]' AS phone OFFSET 0) AS u
JOIN campaign_leads l ON l.lead_ext_id = e.lead_ext_id;

COMMENT ON VIEW campaign_stop_reasons IS 'why an execution may not go on: replied, deal_closed, consent_refused, suppressed; null = it may go on';

-- How many leads the latest run took into a campaign, so that a retry of that run does not begin to count anew.
CREATE TABLE campaign_enrollment_runs (
  campaign_id bigint PRIMARY KEY REFERENCES sales_campaigns (id) ON DELETE CASCADE,
  run_key text NOT NULL,
  enrolled bigint NOT NULL
);
COMMENT ON COLUMN campaign_enrollment_runs.run_key IS 'dag/task/run/map index, without the try number';

-- The 95 % score interval of a share (Wilson 1927, doi:10.1080/01621459.1927.10502953): right for small numbers and for 0 of n, where the
-- textbook interval has no width. z = 1.959964. Null where nothing was counted.
CREATE FUNCTION wilson_low(p_successes bigint, p_total bigint) RETURNS double precision
LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$
  SELECT CASE WHEN p_total > 0 THEN greatest(0,
    (p_successes + 1.920729 - 1.959964 * sqrt(p_successes * (p_total - p_successes) / p_total::double precision + 0.960365))
    / (p_total + 3.841459)) END
$$;

CREATE FUNCTION wilson_high(p_successes bigint, p_total bigint) RETURNS double precision
LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$
  SELECT CASE WHEN p_total > 0 THEN least(1,
    (p_successes + 1.920729 + 1.959964 * sqrt(p_successes * (p_total - p_successes) / p_total::double precision + 0.960365))
    / (p_total + 3.841459)) END
$$;

-- What came of each step's messages, variant by variant. A click or reply belongs to the last step sent before it, for 14 days at most;
-- those of bots count for nothing. The interval of a difference joins those of its two shares (Newcombe 1998, method 10,
-- doi:10.1002/(SICI)1097-0258(19980430)17:8<873::AID-SIM779>3.0.CO;2-I); a difference is credible when it leaves out zero.
-- The campaign is part of the window so that a question about one campaign reads that one only.
CREATE VIEW v_campaign_variants AS
WITH message AS (
  SELECT
    x.campaign_id, v.execution_id, v.lead_ext_id, v.step_number, v.status, v.executed_at,
    coalesce(v.metadata ->> 'variant', x.metadata ->> 'variant', '') AS variant,
    least(
      lead(v.executed_at) OVER (PARTITION BY x.campaign_id, v.execution_id ORDER BY v.executed_at, v.step_number, v.id),
      v.executed_at + interval '14 days') AS until
  FROM sales_campaign_events v
  JOIN sales_campaign_executions x ON x.id = v.execution_id
  WHERE v.event_type IN ('email_sent', 'call_made') AND v.status IN ('sent', 'delivered', 'completed') AND v.executed_at IS NOT NULL
),
touched AS (
  SELECT
    m.campaign_id, m.step_number, m.variant, m.status,
    EXISTS (
      SELECT FROM lead_engagement_events g
      WHERE g.lead_ext_id = m.lead_ext_id AND g.event_type = 'click' AND NOT g.is_bot AND g.occurred_at >= m.executed_at AND g.occurred_at < m.until
    ) AS clicked,
    EXISTS (
      SELECT FROM lead_engagement_events g
      WHERE g.lead_ext_id = m.lead_ext_id AND g.event_type = 'reply' AND NOT g.is_bot AND g.occurred_at >= m.executed_at AND g.occurred_at < m.until
    ) AS replied
  FROM message m
),
counted AS (
  SELECT
    t.campaign_id, t.step_number, t.variant,
    count(*) AS sent,
    count(*) FILTER (WHERE t.status IN ('delivered', 'completed')) AS delivered,
    count(*) FILTER (WHERE t.clicked) AS clicked,
    count(*) FILTER (WHERE t.replied) AS replied
  FROM touched t
  GROUP BY t.campaign_id, t.step_number, t.variant
),
bounded AS (
  SELECT
    k.*,
    k.clicked / k.sent::double precision AS click_share, wilson_low(k.clicked, k.sent) AS click_low, wilson_high(k.clicked, k.sent) AS click_high,
    k.replied / k.sent::double precision AS reply_share, wilson_low(k.replied, k.sent) AS reply_low, wilson_high(k.replied, k.sent) AS reply_high
  FROM counted k
),
compared AS (
  SELECT
    b.*,
    first_value(b.variant) OVER step AS against,
    b.click_share - first_value(b.click_share) OVER step AS click_difference,
    sqrt((b.click_share - b.click_low) ^ 2 + (first_value(b.click_high) OVER step - first_value(b.click_share) OVER step) ^ 2) AS click_below,
    sqrt((b.click_high - b.click_share) ^ 2 + (first_value(b.click_share) OVER step - first_value(b.click_low) OVER step) ^ 2) AS click_above,
    b.reply_share - first_value(b.reply_share) OVER step AS reply_difference,
    sqrt((b.reply_share - b.reply_low) ^ 2 + (first_value(b.reply_high) OVER step - first_value(b.reply_share) OVER step) ^ 2) AS reply_below,
    sqrt((b.reply_high - b.reply_share) ^ 2 + (first_value(b.reply_share) OVER step - first_value(b.reply_low) OVER step) ^ 2) AS reply_above
  FROM bounded b
  WINDOW step AS (PARTITION BY b.campaign_id, b.step_number ORDER BY b.variant)
)
SELECT
  c.campaign_id, s.name AS campaign, c.step_number, c.variant, c.sent, c.delivered, c.clicked, c.replied,
  c.click_share, c.click_low, c.click_high, c.reply_share, c.reply_low, c.reply_high,
  nullif(c.against, c.variant) AS against,
  CASE WHEN c.against <> c.variant THEN c.click_difference END AS click_difference,
  CASE WHEN c.against <> c.variant THEN c.click_difference - c.click_below END AS click_difference_low,
  CASE WHEN c.against <> c.variant THEN c.click_difference + c.click_above END AS click_difference_high,
  CASE WHEN c.against <> c.variant THEN c.click_difference - c.click_below > 0 OR c.click_difference + c.click_above < 0 END AS click_credible,
  CASE WHEN c.against <> c.variant THEN c.reply_difference END AS reply_difference,
  CASE WHEN c.against <> c.variant THEN c.reply_difference - c.reply_below END AS reply_difference_low,
  CASE WHEN c.against <> c.variant THEN c.reply_difference + c.reply_above END AS reply_difference_high,
  CASE WHEN c.against <> c.variant THEN c.reply_difference - c.reply_below > 0 OR c.reply_difference + c.reply_above < 0 END AS reply_credible
FROM compared c
JOIN sales_campaigns s ON s.id = c.campaign_id;

COMMENT ON VIEW v_campaign_variants IS
  'sent, clicked and replied by campaign, step and variant, with 95 % intervals; against = the step''s first variant, which the difference is measured from';
