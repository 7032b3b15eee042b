-- How many leads qualify.sql would take, and how many it cannot take because they have no e-mail address.
SELECT
  count(*) FILTER (WHERE btrim(l.email) <> '') AS qualified,
  count(*) FILTER (WHERE coalesce(btrim(l.email), '') = '') AS without_email
FROM leads l
WHERE l.lead_id BETWEEN @first AND @last
  AND l.score >= @min_score
  AND NOT EXISTS (SELECT 1 FROM sales_pipeline p WHERE p.lead_ext_id = l.ext_id)
