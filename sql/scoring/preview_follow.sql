-- How many rows follow_scores.sql would change.
SELECT count(*)
FROM sales_pipeline p
JOIN leads l ON l.ext_id = p.lead_ext_id
WHERE l.lead_id BETWEEN @first AND @last
  AND l.score IS NOT NULL
  AND (p.score IS DISTINCT FROM l.score OR p.priority IS DISTINCT FROM coalesce(l.priority, p.priority))
