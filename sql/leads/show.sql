-- Leads by id, by another name of theirs, or by e-mail address (several may share one), each as one document.
SELECT jsonb_build_object(
  'ext_id', l.ext_id,
  'source', l.source,
  'first_name', l.first_name,
  'last_name', l.last_name,
  'email', l.email,
  'email_valid', l.has_email,
  'phone', l.phone,
  'company_name', l.company_name,
  'company_domain', l.domain,
  'industry', l.industry,
  'product_interest', l.product_interest,
  'language', l.language,
  'country', l.country,
  'region', l.region,
  'time_zone', l.time_zone,
  'consent_email', l.consent_email,
  'consent_phone', l.consent_phone,
  'website_visited', l.website_visited,
  'demo_requested', l.demo_requested,
  'pricing_page_viewed', l.pricing_page_viewed,
  'utm_source', l.utm_source,
  'utm_campaign', l.utm_campaign,
  'estimated_value', l.estimated_value,
  'score', l.score,
  'priority', l.priority,
  'created_at', l.created_at,
  'updated_at', l.updated_at,
  'attributes', l.attributes,
  'engagement', jsonb_build_object(
    'replies', coalesce(g.replies, 0), 'clicks', coalesce(g.clicks, 0), 'opens', coalesce(g.opens, 0), 'visits', coalesce(g.visits, 0),
    'demos', coalesce(g.demos, 0), 'pricing_views', coalesce(g.pricing_views, 0), 'bot_events_ignored', coalesce(g.bot_events, 0),
    'last_event_at', g.last_event_at),
  'pipeline', (
    SELECT jsonb_build_object(
      'id', p.id, 'stage', p.stage, 'assigned_to', p.assigned_to, 'probability_pct', p.probability_pct, 'estimated_value', p.estimated_value,
      'qualified_at', p.qualified_at, 'last_contact_at', p.last_contact_at, 'next_followup_at', p.next_followup_at, 'closed_at', p.closed_at,
      'notes', p.notes)
    FROM sales_pipeline p
    WHERE p.lead_ext_id = l.ext_id),
  'aliases', coalesce((
    SELECT jsonb_agg(jsonb_build_object('ext_id', a.alias_ext_id, 'matched_by', a.matched_by, 'since', a.created_at) ORDER BY a.alias_ext_id)
    FROM lead_aliases a
    WHERE a.ext_id = l.ext_id), '[]'))::text
FROM leads l
LEFT JOIN lead_engagement g ON g.lead_id = l.lead_id
WHERE l.ext_id = @lead
  OR l.ext_id = (SELECT a.ext_id FROM lead_aliases a WHERE a.alias_ext_id = @lead)
  OR (lower(l.email) = lower(@lead) AND l.email IS NOT NULL)
ORDER BY l.lead_id
