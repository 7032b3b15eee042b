-- What templates can say about one lead, in the columns of facts.sql: without an execution, the lead's row number takes its place.
SELECT
  l.lead_id, @campaign::bigint, l.ext_id, 0, p.id AS pipeline_id,
  CASE WHEN l.has_email THEN l.email WHEN p.email ~ '^[^@[:space:]]+@[^@[:space:]]+[.][^@.[:space:]]{2,}$' THEN p.email END AS email,
  CASE WHEN l.has_phone THEN l.phone WHEN p.phone ~ '([0-9][^0-9]*){6}' THEN p.phone END AS phone,
  coalesce(z.name, s.default_time_zone) AS time_zone,
  coalesce(p.first_name, l.first_name), coalesce(p.last_name, l.last_name),
  l.company_name, coalesce(l.company_domain, l.domain), l.industry, l.product_interest, l.country, l.region, l.language,
  coalesce(p.source, l.source), coalesce(p.utm_source, l.utm_source), coalesce(p.utm_campaign, l.utm_campaign),
  coalesce(p.score, l.score), coalesce(p.priority, l.priority)::text, p.stage::text, coalesce(p.estimated_value, l.estimated_value),
  floor(extract(epoch FROM @as_of - p.qualified_at) / 86400)::int,
  floor(extract(epoch FROM @as_of - coalesce(p.last_contact_at, p.qualified_at)) / 86400)::int,
  r.name, p.assigned_to, l.attributes::text
FROM leads l
CROSS JOIN sending_policy s
LEFT JOIN sales_pipeline p ON p.lead_ext_id = l.ext_id
LEFT JOIN time_zones z ON z.name = l.time_zone
LEFT JOIN sales_reps r ON r.email = p.assigned_to
WHERE l.ext_id = @lead
