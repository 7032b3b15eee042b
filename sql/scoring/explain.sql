-- One lead's score as the active rules make it now, with the facts behind every point, as one document. Engagement and model count as they
-- do in the runs that score this lead (scoring_blocks.settings).
SELECT jsonb_build_object(
  'lead_ext_id', l.ext_id,
  'stored_score', l.score,
  'stored_priority', l.priority,
  'score', k.score,
  'priority', k.priority,
  'rule_version', r.version,
  'bot_events_ignored', k.bot_events,
  'next_age_boundary', CASE WHEN l.created_at > @as_of - make_interval(hours => 24 * (r.recent_days + 1)) AND isfinite(l.created_at)
    THEN l.created_at + make_interval(hours => 24 * (1 + CASE
      WHEN l.created_at > @as_of - make_interval(hours => 24 * (r.fresh_days + 1)) THEN r.fresh_days ELSE r.recent_days END)) END,
  'waiting_to_be_scored', coalesce((SELECT true FROM lead_score_due d WHERE d.lead_id = l.lead_id AND d.due_at <= @as_of LIMIT 1), false)
    OR NOT coalesce(b.scored_through >= l.lead_id AND b.settings LIKE 'rules=' || r.version || ' %', false),
  'factors', jsonb_build_array(
    jsonb_build_array('base', k.base_points, NULL),
    jsonb_build_array('email', k.email_points, CASE WHEN l.has_email THEN 'valid' WHEN l.email IS NULL THEN 'none' ELSE 'not valid' END),
    jsonb_build_array('phone', k.phone_points, CASE WHEN l.has_phone THEN 'more than 5 digits' WHEN l.phone IS NULL THEN 'none' ELSE 'too short' END),
    jsonb_build_array('name', k.name_points, CASE WHEN l.has_name THEN 'known' ELSE 'none' END),
    jsonb_build_array('replies', k.reply_points, coalesce(g.replies, 0) || how.note),
    jsonb_build_array('clicks', k.click_points, coalesce(g.clicks, 0) || how.note),
    jsonb_build_array('opens', k.open_points, coalesce(g.opens, 0) || how.note),
    jsonb_build_array('source', k.source_points, l.source),
    jsonb_build_array('utm', k.utm_points, concat_ws(' / ', nullif(l.utm_source, ''), nullif(l.utm_campaign, ''))),
    jsonb_build_array('age', k.age_points, CASE WHEN isfinite(l.created_at)
      THEN floor(extract(epoch FROM @as_of - l.created_at) / 86400)::text || ' d' END),
    jsonb_build_array('company_domain', k.domain_points, l.domain || CASE WHEN f.domain IS NOT NULL THEN ' (free mail)' ELSE '' END),
    jsonb_build_array('website_visited', k.website_points, (l.website_visited OR how.engagement AND coalesce(g.visits, 0) > 0)::text),
    jsonb_build_array('demo_requested', k.demo_points, (l.demo_requested OR how.engagement AND coalesce(g.demos, 0) > 0)::text),
    jsonb_build_array('pricing_page_viewed', k.pricing_points, (l.pricing_page_viewed OR how.engagement AND coalesce(g.pricing_views, 0) > 0)::text),
    jsonb_build_array('cap', k.cap_points, r.cap::text),
    jsonb_build_array('model', k.model_points, CASE WHEN how.model THEN coalesce(m.model_score::text || ' ' || m.model_version, 'none') END)),
  'history', coalesce((
    SELECT jsonb_agg(jsonb_build_object(
      'calculated_at', h.calculated_at, 'score', h.score, 'previous_score', h.previous_score, 'rule_version', h.rule_version,
      'calculated_by', coalesce(h.calculated_by, 'automated_scoring')) ORDER BY h.calculated_at DESC, h.id DESC)
    FROM (SELECT * FROM lead_scores s WHERE s.lead_id = l.lead_id ORDER BY s.calculated_at DESC, s.id DESC LIMIT 10) AS h), '[]'))::text
FROM leads l
JOIN scoring_rules r ON r.active
LEFT JOIN scoring_blocks b ON b.block = l.lead_id >> 15
CROSS JOIN LATERAL (SELECT
  coalesce(b.settings NOT LIKE '% engagement=False %', true) AS engagement,
  @model OR coalesce(b.settings LIKE '% model=True %', false) AS model,
  CASE WHEN b.settings LIKE '% engagement=False %' THEN ' (not counted)' ELSE '' END AS note) AS how
CROSS JOIN LATERAL lead_score_calculation(r.version, @as_of, how.engagement, how.model, l.lead_id, l.lead_id) AS k
LEFT JOIN lead_engagement g ON g.lead_id = l.lead_id
LEFT JOIN lead_model_scores m ON m.lead_id = l.lead_id
LEFT JOIN free_mail_domains f ON f.domain = l.domain
WHERE l.ext_id = @lead
