-- Takes the rows from @first to @last that belong to a lead of another id and fills what that lead lacks; what it has stays, except that
-- a refusal of consent counts and facts (visited, demo, pricing) add up. Of several rows the first one given fills. Columns in @erase are
-- left to the lead's own rows. Folded as documents, at three times the price of an inserted row, because these rows are few.
WITH taken AS (
  DELETE FROM lead_import_rows r
  USING leads l
  WHERE r.import_id = @import_id AND r.seq BETWEEN @first AND @last AND l.ext_id = r.target
  RETURNING r.*, l.lead_id
), given AS (
  SELECT
    t.lead_id,
    jsonb_object_agg(
      e.key, e.value
      ORDER BY CASE WHEN e.key IN ('consent_email', 'consent_phone') THEN e.value = 'false' ELSE e.value = 'true' END, t.seq DESC)
      FILTER (WHERE NOT e.extra) AS document,
    jsonb_object_agg(e.key, e.value ORDER BY t.seq DESC) FILTER (WHERE e.extra) AS attributes
  FROM taken t
  CROSS JOIN LATERAL (
    SELECT key, value, false AS extra FROM jsonb_each(to_jsonb(t) - 'attributes') WHERE value <> 'null' AND key <> ALL (@erase::text[])
    UNION ALL
    SELECT key, value, true FROM jsonb_each(t.attributes::jsonb)
  ) AS e
  WHERE @fill
  GROUP BY t.lead_id
), changed AS MATERIALIZED (
  SELECT l.lead_id, n.*
  FROM given g
  JOIN leads l ON l.lead_id = g.lead_id
  CROSS JOIN LATERAL jsonb_populate_record(NULL::lead_import_rows, g.document) AS f
  CROSS JOIN LATERAL (SELECT
    coalesce(nullif(l.first_name, ''), f.first_name) AS first_name,
    coalesce(nullif(l.last_name, ''), f.last_name) AS last_name,
    coalesce(nullif(l.email, ''), f.email) AS email,
    coalesce(nullif(l.phone, ''), f.phone) AS phone,
    coalesce(nullif(l.utm_source, ''), f.utm_source) AS utm_source,
    coalesce(nullif(l.utm_campaign, ''), f.utm_campaign) AS utm_campaign,
    coalesce(nullif(l.company_name, ''), f.company_name) AS company_name,
    coalesce(nullif(l.company_domain, ''), f.company_domain) AS company_domain,
    l.website_visited OR coalesce(f.website_visited, false) AS website_visited,
    l.demo_requested OR coalesce(f.demo_requested, false) AS demo_requested,
    l.pricing_page_viewed OR coalesce(f.pricing_page_viewed, false) AS pricing_page_viewed,
    coalesce(nullif(l.industry, ''), f.industry) AS industry,
    coalesce(nullif(l.product_interest, ''), f.product_interest) AS product_interest,
    coalesce(nullif(l.language, ''), f.language) AS language,
    coalesce(nullif(l.country, ''), f.country) AS country,
    coalesce(nullif(l.region, ''), f.region) AS region,
    coalesce(nullif(l.time_zone, ''), f.time_zone) AS time_zone,
    CASE WHEN NOT f.consent_email THEN false ELSE coalesce(l.consent_email, f.consent_email) END AS consent_email,
    CASE WHEN NOT f.consent_phone THEN false ELSE coalesce(l.consent_phone, f.consent_phone) END AS consent_phone,
    coalesce(l.estimated_value, f.estimated_value) AS estimated_value,
    coalesce(g.attributes || l.attributes, l.attributes, g.attributes) AS attributes
  ) AS n
  WHERE
    (n.first_name, n.last_name, n.email, n.phone, n.utm_source, n.utm_campaign, n.company_name, n.company_domain, n.website_visited,
     n.demo_requested, n.pricing_page_viewed, n.industry, n.product_interest, n.language, n.country, n.region, n.time_zone,
     n.consent_email, n.consent_phone, n.estimated_value, n.attributes)
    IS DISTINCT FROM
    (l.first_name, l.last_name, l.email, l.phone, l.utm_source, l.utm_campaign, l.company_name, l.company_domain, l.website_visited,
     l.demo_requested, l.pricing_page_viewed, l.industry, l.product_interest, l.language, l.country, l.region, l.time_zone,
     l.consent_email, l.consent_phone, l.estimated_value, l.attributes)
  ORDER BY l.lead_id
  FOR NO KEY UPDATE OF l
), updated AS (
  UPDATE leads l
  SET first_name = c.first_name, last_name = c.last_name, email = c.email, phone = c.phone, utm_source = c.utm_source,
      utm_campaign = c.utm_campaign, company_name = c.company_name, company_domain = c.company_domain,
      website_visited = c.website_visited, demo_requested = c.demo_requested, pricing_page_viewed = c.pricing_page_viewed,
      industry = c.industry, product_interest = c.product_interest, language = c.language, country = c.country, region = c.region,
      time_zone = c.time_zone, consent_email = c.consent_email, consent_phone = c.consent_phone, estimated_value = c.estimated_value,
      attributes = c.attributes, updated_at = @as_of
  FROM changed c
  WHERE l.lead_id = c.lead_id
  RETURNING 1
)
SELECT (SELECT count(*) FROM taken) AS taken, (SELECT count(*) FROM updated) AS updated
