-- Takes the rows from @first to @last that no lead exists for and inserts them in the order they were read. Fewer inserted than taken:
-- somebody else inserted one of them at this very moment, and the caller starts the batch again.
WITH taken AS (
  DELETE FROM lead_import_rows r
  WHERE r.import_id = @import_id AND r.seq BETWEEN @first AND @last AND r.target IS NULL
    AND NOT EXISTS (SELECT 1 FROM leads l WHERE l.ext_id = r.ext_id)
  RETURNING r.*
), inserted AS (
  INSERT INTO leads (
    ext_id, source, first_name, last_name, email, phone, utm_source, utm_campaign, created_at, company_name, company_domain,
    website_visited, demo_requested, pricing_page_viewed, industry, product_interest, language, country, region, time_zone,
    consent_email, consent_phone, estimated_value, attributes, updated_at)
  SELECT
    t.ext_id, coalesce(t.source, @source), t.first_name, t.last_name, t.email, t.phone, t.utm_source, t.utm_campaign, coalesce(t.created_at, @as_of),
    t.company_name, t.company_domain, coalesce(t.website_visited, false), coalesce(t.demo_requested, false),
    coalesce(t.pricing_page_viewed, false), t.industry, t.product_interest, t.language, t.country, t.region, t.time_zone,
    t.consent_email, t.consent_phone, t.estimated_value, t.attributes::jsonb, @as_of
  FROM taken t
  ORDER BY t.seq
  ON CONFLICT (ext_id) DO NOTHING
  RETURNING 1
)
SELECT (SELECT count(*) FROM taken) AS taken, (SELECT count(*) FROM inserted) AS inserted
