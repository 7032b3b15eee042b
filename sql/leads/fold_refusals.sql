-- What rows under other names decide against the lead's own row in the same run: a refusal of consent stays a refusal, and what was
-- visited or asked for once was. Decided here, so that the own row and the others do not undo each other import by import.
UPDATE lead_import_rows own
SET consent_email = CASE WHEN other.refused_email THEN false ELSE own.consent_email END,
    consent_phone = CASE WHEN other.refused_phone THEN false ELSE own.consent_phone END,
    website_visited = other.visited OR own.website_visited,
    demo_requested = other.demo OR own.demo_requested,
    pricing_page_viewed = other.pricing OR own.pricing_page_viewed
FROM (
  SELECT
    target,
    coalesce(bool_or(NOT consent_email), false) AS refused_email,
    coalesce(bool_or(NOT consent_phone), false) AS refused_phone,
    coalesce(bool_or(website_visited), false) AS visited,
    coalesce(bool_or(demo_requested), false) AS demo,
    coalesce(bool_or(pricing_page_viewed), false) AS pricing
  FROM lead_import_rows
  WHERE import_id = @import_id AND target IS NOT NULL
  GROUP BY target
) AS other
WHERE own.import_id = @import_id
  AND own.target IS NULL
  AND own.ext_id = other.target
  AND (other.refused_email OR other.refused_phone OR other.visited OR other.demo OR other.pricing)
