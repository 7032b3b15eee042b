-- Points of sources not met before with these rules, so that the pass joins a small table instead of splitting texts: 5 ms a block.
INSERT INTO scoring_source_points (version, source, points)
SELECT @rule_version, s.source, score_source(@rule_version, s.source)
FROM (
  SELECT DISTINCT l.source
  FROM leads l
  WHERE l.lead_id BETWEEN @first AND @last
    AND NOT EXISTS (SELECT 1 FROM scoring_source_points p WHERE p.version = @rule_version AND p.source = l.source)
) AS s
ORDER BY s.source
ON CONFLICT DO NOTHING
