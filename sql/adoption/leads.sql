-- Old leads into leads. Of several rows with one ext_id the one that was changed last stays and the others are set aside. Rows go in as they
-- lay in the old table, so that lead_id follows their age and the block ranges of the score history stay narrow.
WITH repeated AS (
  SELECT
    r.place,
    row_number() OVER (PARTITION BY r.ext_id ORDER BY r.updated_at DESC NULLS LAST, r.created_at DESC NULLS LAST, r.place DESC) AS turn
  FROM adopting_leads r
  WHERE r.ext_id IN (SELECT k.ext_id FROM adopting_leads k GROUP BY k.ext_id HAVING count(*) > 1)
),
judged AS MATERIALIZED (
  SELECT
    s.*,
    adoption_key(s.ext_id) AS new_key,
    j.refusal,
    CASE WHEN j.refusal IS NOT NULL OR cardinality(s.unreadable) > 0 THEN s.whole END AS old_row,
    coalesce(nullif(btrim(adoption_text(s.source, 32)), ''), 'unknown') AS new_source,
    adoption_text(s.first_name, 128) AS new_first_name,
    adoption_text(s.last_name, 128) AS new_last_name,
    adoption_text(s.email, 256) AS new_email,
    adoption_text(s.phone, 64) AS new_phone,
    adoption_limit(s.score, 100) AS new_score,
    p.meaning AS new_priority,
    adoption_text(s.utm_source, 128) AS new_utm_source,
    adoption_text(s.utm_campaign, 128) AS new_utm_campaign,
    least(coalesce(s.created_at, s.updated_at, sales_now()), sales_now()) AS new_created_at,
    least(coalesce(s.updated_at, s.created_at, sales_now()), sales_now()) AS new_updated_at,
    adoption_text(s.company_name, 256) AS new_company_name,
    adoption_text(s.company_domain, 253) AS new_company_domain,
    adoption_text(s.industry, 64) AS new_industry,
    adoption_text(s.product_interest, 64) AS new_product_interest,
    adoption_text(s.language, 16) AS new_language,
    adoption_text(s.country, 64) AS new_country,
    adoption_text(s.region, 64) AS new_region,
    adoption_text(s.time_zone, 64) AS new_time_zone,
    CASE WHEN abs(s.estimated_value) < 9999999999.995 THEN round(s.estimated_value, 2) END AS new_estimated_value,
    CASE WHEN s.attributes IS NULL OR jsonb_typeof(s.attributes) = 'object' THEN s.attributes ELSE jsonb_build_object('attributes', s.attributes) END
      AS new_attributes
  FROM adopting_leads s
  LEFT JOIN repeated r ON r.place = s.place
  LEFT JOIN adoption_words p ON p.kind = 'priority' AND p.word = adoption_fold(s.priority)
  CROSS JOIN LATERAL (
    SELECT CASE WHEN s.ext_id IS NULL OR s.ext_id !~ '[^[:space:]]' THEN 'no_key' WHEN r.turn > 1 THEN 'duplicate' END AS refusal
  ) AS j
),
adopted AS (
  INSERT INTO leads (
    ext_id, source, first_name, last_name, email, phone, score, priority, utm_source, utm_campaign, created_at, updated_at, company_name,
    company_domain, website_visited, demo_requested, pricing_page_viewed, industry, product_interest, language, country, region, time_zone,
    consent_email, consent_phone, estimated_value, attributes)
  SELECT
    new_key, new_source, new_first_name, new_last_name, new_email, new_phone, new_score, new_priority::priority_level, new_utm_source,
    new_utm_campaign, new_created_at, new_updated_at, new_company_name, new_company_domain, coalesce(website_visited, false),
    coalesce(demo_requested, false), coalesce(pricing_page_viewed, false), new_industry, new_product_interest, new_language, new_country,
    new_region, new_time_zone, consent_email, consent_phone, new_estimated_value, new_attributes
  FROM judged
  WHERE refusal IS NULL
  ORDER BY place
)
INSERT INTO adoption_findings (table_name, row_key, lead_ext_id, rule, column_name, was, became, old_row)
SELECT 'leads', j.ext_id, nullif(j.new_key, ''), j.refusal, NULL, NULL, CASE j.refusal WHEN 'duplicate' THEN j.new_key END, j.old_row
FROM judged j
WHERE j.refusal IS NOT NULL
UNION ALL
SELECT 'leads', j.new_key, j.new_key, 'own_columns', NULL, NULL, NULL, j.own
FROM judged j
WHERE j.refusal IS NULL AND j.own IS NOT NULL
UNION ALL
SELECT 'leads', j.new_key, j.new_key, 'unreadable', u.name, j.old_row ->> u.name, NULL, NULL
FROM judged j
CROSS JOIN LATERAL unnest(j.unreadable) AS u (name)
WHERE j.refusal IS NULL
UNION ALL
SELECT 'leads', j.new_key, j.new_key, adoption_rule(v.rule, v.was, v.became), v.name, v.was, v.became, NULL
FROM judged j
CROSS JOIN LATERAL (VALUES
  ('ext_id', j.ext_id, j.new_key::text, 'too_long'),
  ('source', j.source, j.new_source, 'text'),
  ('first_name', j.first_name, j.new_first_name, 'text'),
  ('last_name', j.last_name, j.new_last_name, 'text'),
  ('email', j.email, j.new_email, 'text'),
  ('phone', j.phone, j.new_phone, 'text'),
  ('utm_source', j.utm_source, j.new_utm_source, 'text'),
  ('utm_campaign', j.utm_campaign, j.new_utm_campaign, 'text'),
  ('company_name', j.company_name, j.new_company_name, 'too_long'),
  ('company_domain', j.company_domain, j.new_company_domain, 'too_long'),
  ('industry', j.industry, j.new_industry, 'too_long'),
  ('product_interest', j.product_interest, j.new_product_interest, 'too_long'),
  ('language', j.language, j.new_language, 'too_long'),
  ('country', j.country, j.new_country, 'too_long'),
  ('region', j.region, j.new_region, 'too_long'),
  ('time_zone', j.time_zone, j.new_time_zone, 'too_long'),
  ('score', CASE WHEN j.score = j.new_score THEN j.new_score::text ELSE j.score::text END, j.new_score::text,
    CASE WHEN j.score BETWEEN 0 AND 100 THEN 'rounded' ELSE 'out_of_range' END),
  ('priority', nullif(j.priority, ''), j.new_priority, CASE WHEN j.new_priority IS NULL THEN 'unknown_value' ELSE 'other_word' END),
  ('created_at', j.created_at::text, j.new_created_at::text, CASE WHEN j.created_at IS NULL THEN 'missing_value' ELSE 'in_the_future' END),
  ('updated_at', j.updated_at::text, j.new_updated_at::text, CASE WHEN j.updated_at IS NULL THEN 'missing_value' ELSE 'in_the_future' END),
  ('estimated_value', CASE WHEN j.estimated_value = j.new_estimated_value THEN j.new_estimated_value::text ELSE j.estimated_value::text END, j.new_estimated_value::text,
    CASE WHEN j.new_estimated_value IS NULL THEN 'out_of_range' ELSE 'rounded' END),
  ('attributes', j.attributes::text, j.new_attributes::text, 'reshaped')
) AS v (name, was, became, rule)
-- The first comparison spares unchanged rows that of their columns one by one.
WHERE j.refusal IS NULL AND (
    j.ext_id, j.source, j.first_name, j.last_name, j.email, j.phone, j.utm_source, j.utm_campaign, j.company_name,
    j.company_domain, j.industry, j.product_interest, j.language, j.country, j.region, j.time_zone, j.score,
    nullif(j.priority, ''), j.created_at, j.updated_at, j.estimated_value, j.attributes
  ) IS DISTINCT FROM (
    j.new_key::text, j.new_source, j.new_first_name, j.new_last_name, j.new_email, j.new_phone, j.new_utm_source,
    j.new_utm_campaign, j.new_company_name, j.new_company_domain, j.new_industry, j.new_product_interest, j.new_language,
    j.new_country, j.new_region, j.new_time_zone, j.new_score::numeric, j.new_priority, j.new_created_at, j.new_updated_at,
    j.new_estimated_value::numeric, j.new_attributes
  )
  AND v.was IS DISTINCT FROM v.became
  AND NOT (v.was IS NULL AND v.name IN (SELECT m.column_name FROM adoption_findings m WHERE m.table_name = 'leads' AND m.rule = 'missing_column'))
