-- Staged leads, in the order of LeadColumns.
COPY lead_import_rows (
  import_id, seq, file, line, raw, attributes, ext_id, source, first_name, last_name, email, phone, utm_source, utm_campaign, created_at,
  company_name, company_domain, website_visited, demo_requested, pricing_page_viewed, industry, product_interest, language, country, region,
  time_zone, consent_email, consent_phone, estimated_value)
FROM STDIN (FORMAT BINARY)
