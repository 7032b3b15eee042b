-- Our side of these links: the fields a mapping may name, as text.
SELECT
  k.id,
  jsonb_strip_nulls(jsonb_build_object(
    'email', l.email, 'first_name', l.first_name, 'last_name', l.last_name, 'phone', l.phone, 'company_name', l.company_name, 'industry', l.industry,
    'country', l.country, 'region', l.region, 'language', l.language, 'score', l.score::text, 'priority', l.priority::text, 'source', l.source,
    'utm_source', l.utm_source, 'utm_campaign', l.utm_campaign))::text AS facts,
  NULL::varchar AS lead_crm_id,
  l.ext_id
FROM crm_links k
JOIN leads l ON l.ext_id = k.lead_ext_id
WHERE k.id = ANY (@ids::bigint[])
