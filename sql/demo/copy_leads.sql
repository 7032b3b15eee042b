-- Loads leads. Score and priority stay empty: giving them is the first job's work.
COPY leads (
  ext_id, source, first_name, last_name, email, phone, utm_source, utm_campaign, created_at, updated_at, company_name, company_domain,
  website_visited, demo_requested, pricing_page_viewed, industry, product_interest, language, country, region, time_zone, consent_email,
  consent_phone, estimated_value
) FROM STDIN (FORMAT BINARY)
