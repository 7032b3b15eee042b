-- The moment at which each young lead from @first to @last grows out of its age points, unless it is on the list. Age counts whole days:
-- "at most 7 days" ends with the eighth. Dates of a far future are mistakes and would overflow.
INSERT INTO lead_score_due (lead_id, due_at)
SELECT young.lead_id, young.due_at
FROM (
  SELECT l.lead_id, l.created_at + CASE WHEN l.created_at > r.fresh_since THEN r.fresh ELSE r.recent END AS due_at
  FROM (
    SELECT
      ages.*, @as_of - ages.fresh AS fresh_since, @as_of - ages.recent AS recent_since, @as_of + interval '100 years' AS far_future
    FROM (
      SELECT make_interval(hours => 24 * (fresh_days + 1)) AS fresh, make_interval(hours => 24 * (recent_days + 1)) AS recent
      FROM scoring_rules
      WHERE version = @rule_version
    ) AS ages
    OFFSET 0
  ) AS r
  JOIN leads l ON l.created_at > r.recent_since AND l.created_at < r.far_future
  WHERE l.lead_id BETWEEN @first AND @last
) AS young
WHERE NOT EXISTS (
  SELECT 1 FROM lead_score_due d WHERE d.lead_id = young.lead_id AND d.lead_id BETWEEN @first AND @last AND d.due_at = young.due_at)
