-- What a version would do to all leads, and how they would be distributed.
SELECT
  count(*) AS evaluated,
  count(*) FILTER (WHERE k.score IS DISTINCT FROM k.previous_score) AS changed,
  count(*) FILTER (WHERE k.score > k.previous_score) AS up,
  count(*) FILTER (WHERE k.score < k.previous_score) AS down,
  count(*) FILTER (WHERE k.previous_priority = 'high') AS high_before,
  count(*) FILTER (WHERE k.priority = 'high') AS high_after,
  count(*) FILTER (WHERE k.previous_priority = 'medium') AS medium_before,
  count(*) FILTER (WHERE k.priority = 'medium') AS medium_after,
  count(*) FILTER (WHERE k.previous_priority = 'low') AS low_before,
  count(*) FILTER (WHERE k.priority = 'low') AS low_after
FROM lead_score_calculation(@version, @as_of, true, false, 0, 9223372036854775807) AS k
