-- An amount is a number: NaN (and infinity, where the server has it) makes every sum that it is in as useless as itself. What is there goes.
UPDATE leads SET estimated_value = NULL WHERE NOT abs(estimated_value) < 1e15;
UPDATE sales_pipeline SET estimated_value = NULL WHERE NOT abs(estimated_value) < 1e15;

ALTER TABLE leads ADD CONSTRAINT leads_estimated_value_is_a_number CHECK (abs(estimated_value) < 1e15);
ALTER TABLE sales_pipeline ADD CONSTRAINT sales_pipeline_estimated_value_is_a_number CHECK (abs(estimated_value) < 1e15);

-- As before, with instants of the far past and future, and infinite ones, taken as 30 years from the moment: nobody means more, spans of time to
-- infinity are errors in PostgreSQL 12 to 16, and one of thousands of years would outweigh all others that a model learns from.
CREATE OR REPLACE FUNCTION deal_features(p_pipeline_ids bigint[], p_instants timestamptz[])
RETURNS TABLE (
  pipeline_id bigint, at timestamptz, stage text, source text, product_interest text, industry text, has_phone boolean,
  days_in_stage double precision, days_in_pipeline double precision, lead_age_days double precision, hours_to_first_contact double precision,
  replies int, clicks int, opens int, visits int, demos int, pricing_views int, days_since_engagement double precision,
  completed_tasks int, pending_tasks int, email_tasks int, call_tasks int, days_since_contact double precision
)
LANGUAGE sql STABLE SET search_path FROM CURRENT
AS $$
  SELECT
    p.id, m.at, s.stage::text, l.source::text, l.product_interest::text, l.industry::text, l.has_phone,
    extract(epoch FROM m.at - s.since) / 86400, extract(epoch FROM m.at - s.qualified) / 86400,
    extract(epoch FROM m.at - CASE WHEN l.created_at IS NOT NULL THEN least(greatest(l.created_at, b.oldest), b.latest) END) / 86400, extract(epoch FROM s.contacted - s.qualified) / 3600,
    e.replies, e.clicks, e.opens, e.visits, e.demos, e.pricing_views, extract(epoch FROM m.at - e.last_at) / 86400,
    t.completed, t.pending, t.emails, t.calls, extract(epoch FROM m.at - t.last_contact) / 86400
  FROM unnest(p_pipeline_ids, p_instants) AS m (id, at)
  CROSS JOIN LATERAL (SELECT m.at - interval '30 years' AS oldest, m.at + interval '30 years' AS latest) AS b
  JOIN sales_pipeline AS p ON p.id = m.id
  JOIN leads AS l ON l.ext_id = p.lead_ext_id
  CROSS JOIN LATERAL (
    SELECT
      (array_agg(h.to_stage ORDER BY h.changed_at DESC, h.id DESC))[1] AS stage, max(greatest(h.changed_at, b.oldest)) AS since,
      min(greatest(h.changed_at, b.oldest)) AS qualified,
      min(greatest(h.changed_at, b.oldest)) FILTER (WHERE h.to_stage >= 'contacted') AS contacted
    FROM sales_stage_history AS h
    WHERE h.pipeline_id = p.id AND h.changed_at <= m.at
  ) AS s
  CROSS JOIN LATERAL (
    SELECT
      count(*) FILTER (WHERE event_type = 'reply')::int AS replies, count(*) FILTER (WHERE event_type = 'click')::int AS clicks,
      count(*) FILTER (WHERE event_type = 'open')::int AS opens, count(*) FILTER (WHERE event_type = 'visit')::int AS visits,
      count(*) FILTER (WHERE event_type = 'demo')::int AS demos, count(*) FILTER (WHERE event_type = 'pricing')::int AS pricing_views,
      max(greatest(occurred_at, b.oldest)) AS last_at
    FROM lead_engagement_events AS v
    WHERE v.lead_ext_id = p.lead_ext_id AND v.occurred_at <= m.at AND NOT v.is_bot
  ) AS e
  CROSS JOIN LATERAL (
    SELECT
      count(*) FILTER (WHERE k.completed_at <= m.at)::int AS completed,
      -- What was cancelled later, as when a deal is lost, was pending then: its absence would tell the outcome.
      count(*) FILTER (WHERE (k.completed_at IS NULL OR k.completed_at > m.at)
        AND NOT (k.status IN ('skipped', 'cancelled') AND k.updated_at <= m.at))::int AS pending,
      count(*) FILTER (WHERE k.completed_at <= m.at AND k.task_type = 'email')::int AS emails,
      count(*) FILTER (WHERE k.completed_at <= m.at AND k.task_type = 'call')::int AS calls,
      max(greatest(k.completed_at, b.oldest)) FILTER (WHERE k.completed_at <= m.at AND k.task_type IN ('email', 'call', 'meeting')) AS last_contact
    FROM sales_followup_tasks AS k
    WHERE k.pipeline_id = p.id AND k.created_at <= m.at
  ) AS t
  WHERE s.stage < 'closed_won'
$$;
