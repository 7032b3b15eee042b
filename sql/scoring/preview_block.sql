-- What score_block.sql would do, without doing it.
SELECT
  (SELECT count(*) FROM leads WHERE lead_id BETWEEN @first AND @last) AS evaluated,
  count(*) AS changed,
  count(*) FILTER (WHERE score > previous_score) AS up,
  count(*) FILTER (WHERE score < previous_score) AS down,
  count(*) FILTER (WHERE previous_score IS NULL) AS first_scored
FROM lead_score_calculation(@rule_version, @as_of, @engagement, @model, @first, @last) AS k
WHERE (k.score IS DISTINCT FROM k.previous_score OR (@set_priority AND k.priority IS DISTINCT FROM k.previous_priority))
  AND k.lead_id NOT IN (SELECT e.lead_id FROM leads e WHERE e.erased_at IS NOT NULL AND e.lead_id BETWEEN @first AND @last)
