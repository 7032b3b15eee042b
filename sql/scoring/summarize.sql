-- Score changes of the 24 hours before @as_of and how all leads stand now; news counts the changes after @since_at.
SELECT c.changes, c.leads_changed, c.up, c.down, c.first_scored, d.*, c.news
FROM (
  SELECT
    count(*) AS changes,
    count(DISTINCT lead_id) AS leads_changed,
    count(*) FILTER (WHERE score > previous_score) AS up,
    count(*) FILTER (WHERE score < previous_score) AS down,
    count(*) FILTER (WHERE previous_score IS NULL) AS first_scored,
    count(*) FILTER (WHERE calculated_at > @since_at) AS news
  FROM lead_scores
  WHERE calculated_at > @as_of - interval '24 hours' AND calculated_at <= @as_of
) AS c
CROSS JOIN (
  SELECT
    count(*) FILTER (WHERE priority IN ('high', 'urgent')) AS high,
    count(*) FILTER (WHERE priority = 'medium') AS medium,
    count(*) FILTER (WHERE priority = 'low') AS low,
    count(*) FILTER (WHERE priority IS NULL) AS without_priority,
    round(avg(score), 1) AS average_score
  FROM leads
) AS d
