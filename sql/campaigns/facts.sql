-- What the steps of a batch are written from: the execution, where the lead can be reached, the zone of the lead's clock (the policy's
-- default where it is missing or unknown), and what templates can say. @lead: instead of executions one lead, for a preview.
SELECT
  e.id, e.campaign_id, l.lead_ext_id, e.current_step, l.pipeline_id,
  l.email, l.phone, coalesce(z.name, s.default_time_zone), l.first_name, l.last_name, l.company_name, l.company_domain, l.industry,
  l.product_interest, l.country, l.region, l.language, l.source, l.utm_source, l.utm_campaign, l.score, l.priority::text, l.stage::text,
  l.estimated_value, floor(extract(epoch FROM @as_of - l.qualified_at) / 86400)::int,
  floor(extract(epoch FROM @as_of - l.quiet_since) / 86400)::int, l.rep_name, l.assigned_to, l.attributes::text
FROM (
  SELECT x.id, x.campaign_id, x.lead_ext_id, x.current_step
  FROM sales_campaign_executions x
  WHERE x.id = ANY (@ids::bigint[]) AND x.status = 'active'
  UNION ALL
  SELECT 0, 0, @lead::text, 0 WHERE @lead IS NOT NULL
) AS e
JOIN campaign_leads l ON l.lead_ext_id = e.lead_ext_id
CROSS JOIN sending_policy s
LEFT JOIN time_zones z ON z.name = l.time_zone
ORDER BY e.id
