-- A closed deal's lead has no model score: its outcome is known.
DELETE FROM lead_model_scores
WHERE lead_id IN (
  SELECT m.lead_id
  FROM sales_pipeline p
  JOIN leads l ON l.ext_id = p.lead_ext_id
  JOIN lead_model_scores m ON m.lead_id = l.lead_id
  WHERE p.closed_at IS NOT NULL
  ORDER BY m.lead_id
  FOR UPDATE OF m
)
