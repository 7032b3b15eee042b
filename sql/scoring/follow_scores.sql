-- Score and priority of pipeline rows follow their lead; rows that agree already are not touched.
UPDATE sales_pipeline p
SET score = l.score, priority = l.priority
FROM leads l
WHERE l.ext_id = p.lead_ext_id
  AND l.lead_id BETWEEN @first AND @last
  AND l.score IS NOT NULL
  AND (p.score IS DISTINCT FROM l.score OR p.priority IS DISTINCT FROM l.priority)
