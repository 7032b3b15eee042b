-- The next leads after @after that have no deal, as if they were qualified now: in the first stage since this moment, nothing done yet. What is
-- known of them otherwise is what deal_features knows of a deal's lead. Walked by id and looked up lead by lead, for the reasons in open_deals.sql.
WITH block AS MATERIALIZED (
  SELECT
    l.lead_id, l.ext_id, l.source, l.product_interest, l.industry, l.has_phone,
    -- As in deal_features: nobody means more than 30 years.
    CASE WHEN l.created_at IS NOT NULL
      THEN least(greatest(l.created_at, @as_of::timestamptz - interval '30 years'), @as_of::timestamptz + interval '30 years') END AS created_at
  FROM leads l
  WHERE l.lead_id > @after AND l.erased_at IS NULL AND abs((l.lead_id >> 15) % @shard_count - @shard_index) < 1
  ORDER BY l.lead_id
  LIMIT @limit
)
SELECT
  b.lead_id, 'qualified' AS stage, b.source::text AS source, b.product_interest::text AS product_interest, b.industry::text AS industry, b.has_phone,
  0::double precision AS days_in_stage, 0::double precision AS days_in_pipeline,
  extract(epoch FROM @as_of - b.created_at)::double precision / 86400 AS lead_age_days, NULL::double precision AS hours_to_first_contact,
  e.replies, e.clicks, e.opens, e.visits, e.demos, e.pricing_views,
  extract(epoch FROM @as_of - e.last_at)::double precision / 86400 AS days_since_engagement,
  0 AS completed_tasks, 0 AS pending_tasks, 0 AS email_tasks, 0 AS call_tasks, NULL::double precision AS days_since_contact,
  m.inputs_hash, p.id IS NOT NULL AS has_deal
FROM block b
LEFT JOIN LATERAL (SELECT q.id FROM sales_pipeline q WHERE q.lead_ext_id = b.ext_id OFFSET 0) AS p ON true
LEFT JOIN LATERAL (SELECT s.inputs_hash FROM lead_model_scores s WHERE s.lead_id = b.lead_id OFFSET 0) AS m ON true
CROSS JOIN LATERAL (
  SELECT
    count(*) FILTER (WHERE event_type = 'reply')::int AS replies, count(*) FILTER (WHERE event_type = 'click')::int AS clicks,
    count(*) FILTER (WHERE event_type = 'open')::int AS opens, count(*) FILTER (WHERE event_type = 'visit')::int AS visits,
    count(*) FILTER (WHERE event_type = 'demo')::int AS demos, count(*) FILTER (WHERE event_type = 'pricing')::int AS pricing_views,
    max(greatest(occurred_at, @as_of::timestamptz - interval '30 years')) AS last_at
  FROM lead_engagement_events AS v
  WHERE p.id IS NULL AND v.lead_ext_id = b.ext_id AND v.occurred_at <= @as_of AND NOT v.is_bot
) AS e
ORDER BY b.lead_id
