-- Takes leads with at least @min_score points into the pipeline, each once, the highest scores of the block first when @limit is reached. A
-- pipeline row needs an e-mail address. Closed deals have a row too, so they are never opened again. Inserted in the order of lead_id:
-- two runs that see different scores wait for each other in one order.
INSERT INTO sales_pipeline (
  lead_ext_id, email, first_name, last_name, phone, score, priority, source, utm_source, utm_campaign, estimated_value, qualified_at,
  next_followup_at)
SELECT
  best.ext_id, best.email, best.first_name, best.last_name, best.phone, best.score, best.priority, best.source, best.utm_source,
  best.utm_campaign, CASE WHEN best.estimated_value >= 0 THEN best.estimated_value END, @as_of, @as_of
FROM (
  SELECT l.*
  FROM leads l
  WHERE l.lead_id BETWEEN @first AND @last
    AND l.score >= @min_score
    AND btrim(l.email) <> ''
    AND NOT EXISTS (SELECT 1 FROM sales_pipeline p WHERE p.lead_ext_id = l.ext_id)
  ORDER BY l.score DESC, l.lead_id
  LIMIT @limit
) AS best
ORDER BY best.lead_id
ON CONFLICT (lead_ext_id) DO NOTHING
