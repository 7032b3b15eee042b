-- Old campaign events into sales_campaign_events, with the lead of their execution. What was still waiting in the old program is sent by
-- nobody any more: it counts as skipped.
WITH renumbered AS (
  SELECT b.place, (SELECT coalesce(max(m.id), 0)::bigint FROM adopting_sales_campaign_events m WHERE m.id < 4611686018427387904) + row_number() OVER (ORDER BY b.place) AS id
  FROM (
    SELECT
      t.place, (t.id = trunc(t.id) AND t.id BETWEEN 1 AND 4611686018427387904) IS TRUE AS whole_id, row_number() OVER (PARTITION BY t.id ORDER BY t.place) AS turn
    FROM adopting_sales_campaign_events t
    WHERE (t.id = trunc(t.id) AND t.id BETWEEN 1 AND 4611686018427387904) IS NOT TRUE
      OR t.id IN (SELECT k.id FROM adopting_sales_campaign_events k GROUP BY k.id HAVING count(*) > 1)
  ) b
  WHERE NOT b.whole_id OR b.turn > 1
),
judged AS MATERIALIZED (
  SELECT
    s.*,
    coalesce(n.id, s.id)::bigint AS new_id,
    r.kept_id AS new_execution_id, r.lead_ext_id AS new_lead,
    r.kept_id IS NOT NULL AS stays,
    CASE WHEN r.kept_id IS NULL OR cardinality(s.unreadable) > 0 THEN s.whole END AS old_row,
    CASE WHEN s.step_number BETWEEN 0 AND 1000000 THEN round(s.step_number)::int END AS new_step_number,
    coalesce(k.meaning, 'custom') AS new_event_type,
    CASE WHEN w.meaning = 'queued' THEN 'skipped' ELSE coalesce(w.meaning, 'completed') END AS new_status,
    adoption_past(s.executed_at) AS new_executed_at,
    CASE WHEN s.metadata IS NULL OR jsonb_typeof(s.metadata) = 'object' THEN coalesce(s.metadata, '{}') ELSE jsonb_build_object('metadata', s.metadata) END
      AS new_metadata,
    least(coalesce(s.created_at, s.executed_at, sales_now()), sales_now()) AS new_created_at
  FROM adopting_sales_campaign_events s
  LEFT JOIN renumbered n ON n.place = s.place
  LEFT JOIN adoption_rows r ON r.table_name = 'sales_campaign_executions' AND r.old_id = s.execution_id AND r.own_id = r.old_id
  LEFT JOIN adoption_words k ON k.kind = 'event_type' AND k.word = adoption_fold(s.event_type)
  LEFT JOIN adoption_words w ON w.kind = 'event_status' AND w.word = adoption_fold(s.status)
),
adopted AS (
  INSERT INTO sales_campaign_events (id, execution_id, lead_ext_id, step_number, event_type, status, executed_at, metadata, created_at)
  SELECT new_id, new_execution_id, new_lead, new_step_number, new_event_type, new_status, new_executed_at, new_metadata, new_created_at
  FROM judged
  WHERE stays
  ORDER BY place
)
INSERT INTO adoption_findings (table_name, row_key, lead_ext_id, rule, column_name, was, became, old_row)
SELECT 'sales_campaign_events', j.id::text, j.lead_ext_id, 'orphan', NULL, NULL, NULL, j.old_row
FROM judged j
WHERE NOT j.stays
UNION ALL
SELECT 'sales_campaign_events', j.new_id::text, j.new_lead, 'own_columns', NULL, NULL, NULL, j.own
FROM judged j
WHERE j.stays AND j.own IS NOT NULL
UNION ALL
SELECT 'sales_campaign_events', j.new_id::text, j.new_lead, 'unreadable', u.name, j.old_row ->> u.name, NULL, NULL
FROM judged j
CROSS JOIN LATERAL unnest(j.unreadable) AS u (name)
WHERE j.stays
UNION ALL
SELECT 'sales_campaign_events', j.new_id::text, j.new_lead, adoption_rule(v.rule, v.was, v.became), v.name, v.was, v.became, NULL
FROM judged j
CROSS JOIN LATERAL (VALUES
  ('id', CASE WHEN j.id = j.new_id THEN j.new_id::text ELSE j.id::text END, j.new_id::text, 'new_id'),
  ('execution_id', CASE WHEN j.execution_id = j.new_execution_id THEN j.new_execution_id::text ELSE j.execution_id::text END, j.new_execution_id::text,
    'repointed'),
  ('lead_ext_id', j.lead_ext_id, j.new_lead::text, CASE WHEN j.lead_ext_id IS NULL THEN 'missing_value' ELSE 'repointed' END),
  ('step_number', CASE WHEN j.step_number = j.new_step_number THEN j.new_step_number::text ELSE j.step_number::text END, j.new_step_number::text,
    'out_of_range'),
  ('event_type', j.event_type, j.new_event_type, 'word:event_type'),
  ('status', j.status, j.new_status, CASE WHEN j.new_status = 'skipped' AND j.status IS NOT NULL THEN 'switched_off' ELSE 'word:event_status' END),
  ('executed_at', j.executed_at::text, j.new_executed_at::text, 'in_the_future'),
  ('metadata', coalesce(j.metadata, '{}')::text, j.new_metadata::text, 'reshaped'),
  ('created_at', j.created_at::text, j.new_created_at::text, CASE WHEN j.created_at IS NULL THEN 'missing_value' ELSE 'in_the_future' END)
) AS v (name, was, became, rule)
-- The first comparison spares unchanged rows that of their columns one by one.
WHERE j.stays AND (
    j.id, j.execution_id, j.lead_ext_id, j.step_number, j.event_type, j.status, j.executed_at, coalesce(j.metadata, '{}'),
    j.created_at
  ) IS DISTINCT FROM (
    j.new_id::numeric, j.new_execution_id::numeric, j.new_lead::text, j.new_step_number::numeric, j.new_event_type,
    j.new_status, j.new_executed_at, j.new_metadata, j.new_created_at
  )
  AND v.was IS DISTINCT FROM v.became
  AND NOT (v.was IS NULL AND v.name IN (SELECT m.column_name FROM adoption_findings m WHERE m.table_name = 'sales_campaign_events' AND m.rule = 'missing_column'))
