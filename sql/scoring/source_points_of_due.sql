-- Points of sources not met before with these rules, among the leads that are due.
INSERT INTO scoring_source_points (version, source, points)
SELECT @rule_version, s.source, score_source(@rule_version, s.source)
FROM (
  SELECT DISTINCT l.source
  FROM leads l
  WHERE l.lead_id BETWEEN @first AND @last
    AND l.lead_id IN (SELECT lead_id FROM lead_score_due WHERE lead_id BETWEEN @first AND @last AND due_at <= @as_of)
    AND NOT EXISTS (SELECT 1 FROM scoring_source_points p WHERE p.version = @rule_version AND p.source = l.source)
) AS s
ORDER BY s.source
ON CONFLICT DO NOTHING
