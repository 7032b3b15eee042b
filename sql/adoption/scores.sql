-- Old score history into lead_scores, which lead_score_history shows: typed columns, the factors as they were. Years of it are most of what
-- there is to adopt, so it is read once, in the order it lies in, and only differences cost more than the row itself.
WITH judged AS MATERIALIZED (
  SELECT
    s.place, s.id, s.lead_ext_id, s.score, s.previous_score, s.priority, s.calculated_at, s.unreadable,
    l.lead_id, l.ext_id AS new_lead,
    j.refusal,
    CASE WHEN j.refusal IS NOT NULL OR cardinality(s.unreadable) > 0 THEN s.whole END AS old_row,
    CASE WHEN s.id = trunc(s.id) AND s.id BETWEEN 1 AND 4611686018427387904 THEN s.id::bigint END AS new_id,
    adoption_limit(s.score, 100)::smallint AS new_score,
    adoption_limit(s.previous_score, 100)::smallint AS new_previous_score,
    p.meaning AS new_priority,
    least(coalesce(s.calculated_at, sales_now()), sales_now()) AS new_calculated_at,
    nullif(adoption_text(s.calculated_by, 64), 'automated_scoring') AS new_calculated_by,
    CASE
      WHEN s.own IS NULL THEN s.scoring_factors
      WHEN s.scoring_factors IS NULL OR jsonb_typeof(s.scoring_factors) = 'object'
        THEN coalesce(s.scoring_factors, '{}') || jsonb_build_object('own_columns', s.own)
      ELSE jsonb_build_object('scoring_factors', s.scoring_factors, 'own_columns', s.own)
    END AS new_scoring_factors
  FROM adopting_lead_score_history s
  LEFT JOIN leads l ON l.ext_id = adoption_key(s.lead_ext_id)
  LEFT JOIN adoption_words p ON p.kind = 'priority' AND p.word = adoption_fold(s.priority)
  CROSS JOIN LATERAL (
    SELECT CASE WHEN l.lead_id IS NULL THEN 'orphan' WHEN s.score IS NULL THEN 'no_score' END AS refusal
  ) AS j
),
adopted AS (
  INSERT INTO lead_scores (id, lead_id, calculated_at, priority, score, previous_score, calculated_by, scoring_factors)
  SELECT
    coalesce(new_id, nextval(pg_get_serial_sequence('lead_scores', 'id'))), lead_id, new_calculated_at, new_priority::priority_level, new_score,
    new_previous_score, new_calculated_by, new_scoring_factors
  FROM judged
  WHERE refusal IS NULL
)
INSERT INTO adoption_findings (table_name, row_key, lead_ext_id, rule, column_name, was, became, old_row)
SELECT 'lead_score_history', j.id::text, j.lead_ext_id, j.refusal, NULL, NULL, NULL, j.old_row
FROM judged j
WHERE j.refusal IS NOT NULL
UNION ALL
SELECT 'lead_score_history', j.id::text, j.new_lead, 'unreadable', u.name, j.old_row ->> u.name, NULL, NULL
FROM judged j
CROSS JOIN LATERAL unnest(j.unreadable) AS u (name)
WHERE j.refusal IS NULL
UNION ALL
SELECT 'lead_score_history', j.id::text, j.new_lead, v.rule, v.name, v.was, v.became, NULL
FROM judged j
CROSS JOIN LATERAL (VALUES
  ('score', j.score::text, j.new_score::text, 'out_of_range'),
  ('previous_score', j.previous_score::text, j.new_previous_score::text, 'out_of_range'),
  ('priority', nullif(j.priority, ''), j.new_priority, CASE WHEN j.new_priority IS NULL THEN 'unknown_value' ELSE 'other_word' END),
  ('calculated_at', j.calculated_at::text, j.new_calculated_at::text, CASE WHEN j.calculated_at IS NULL THEN 'missing_value' ELSE 'in_the_future' END)
) AS v (name, was, became, rule)
-- The first condition spares unchanged rows the comparison of four pairs of texts.
WHERE j.refusal IS NULL
  AND (j.score, j.previous_score, j.priority, j.calculated_at)
    IS DISTINCT FROM (j.new_score::numeric, j.new_previous_score::numeric, j.new_priority, j.new_calculated_at)
  AND v.was IS DISTINCT FROM v.became
  AND NOT (v.was IS NULL AND v.name IN (SELECT m.column_name FROM adoption_findings m WHERE m.table_name = 'lead_score_history' AND m.rule = 'missing_column'))
