-- Points of sources not met before with these rules, so that the pass joins a small table instead of splitting texts. The few sources
-- are found by jumping through an index-like walk of what is due or, on the first pass with these rules, of all leads.
INSERT INTO scoring_source_points (version, source, points)
SELECT @rule_version, s.source, score_source(@rule_version, s.source)
FROM (
  SELECT DISTINCT l.source
  FROM leads l
  WHERE NOT EXISTS (SELECT 1 FROM scoring_source_points p WHERE p.version = @rule_version AND p.source = l.source)
) AS s
ON CONFLICT DO NOTHING
