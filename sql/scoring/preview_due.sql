-- What score_due.sql would do, without doing it.
WITH picked AS MATERIALIZED (
  SELECT DISTINCT d.lead_id
  FROM lead_score_due d
  JOIN scoring_blocks b ON b.block = d.lead_id >> 15 AND b.block BETWEEN @first::bigint >> 15 AND @last::bigint >> 15
  WHERE d.lead_id BETWEEN @first AND @last AND d.due_at <= @as_of AND b.settings = @settings AND d.lead_id <= b.scored_through
  ORDER BY d.lead_id
  LIMIT @limit
)
SELECT
  (SELECT count(*) FROM picked) AS evaluated,
  count(*) AS changed,
  count(*) FILTER (WHERE score > previous_score) AS up,
  count(*) FILTER (WHERE score < previous_score) AS down,
  count(*) FILTER (WHERE previous_score IS NULL) AS first_scored
FROM lead_score_calculation(@rule_version, @as_of, @engagement, @model, @first, @last) AS k
WHERE k.lead_id IN (SELECT lead_id FROM picked)
  AND (k.score IS DISTINCT FROM k.previous_score OR (@set_priority AND k.priority IS DISTINCT FROM k.previous_priority))
  AND k.lead_id NOT IN (SELECT e.lead_id FROM leads e WHERE e.erased_at IS NOT NULL AND e.lead_id BETWEEN @first AND @last)
