-- Takes leads with at least @min_score points into the pipeline, each once, highest score first when @limit is reached. A pipeline row
-- needs an e-mail address. Closed deals have a row too, so they are never opened again.
INSERT INTO sales_pipeline (
  lead_ext_id, email, first_name, last_name, phone, score, priority, source, utm_source, utm_campaign, estimated_value, qualified_at,
  next_followup_at)
SELECT
  l.ext_id, l.email, l.first_name, l.last_name, l.phone, l.score, l.priority, l.source, l.utm_source, l.utm_campaign, l.estimated_value,
  @as_of, @as_of
FROM leads l
WHERE l.lead_id BETWEEN @first AND @last
  AND l.score >= @min_score
  AND l.email <> ''
  AND NOT EXISTS (SELECT 1 FROM sales_pipeline p WHERE p.lead_ext_id = l.ext_id)
ORDER BY l.score DESC, l.lead_id
LIMIT @limit
ON CONFLICT (lead_ext_id) DO NOTHING
