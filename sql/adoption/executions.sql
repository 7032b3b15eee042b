-- Old executions into sales_campaign_executions. What runs is paused as disabling a campaign does, so that enabling it goes on with the next
-- step. A step that the old events show as done counts as done, whether steps were numbered from 0 or 1: rather one message too few than
-- the same one twice.
WITH done AS (
  SELECT r.kept_id, greatest(count(DISTINCT v.step_number), max(v.step_number), 0)::int AS steps
  FROM adopting_sales_campaign_events v
  JOIN adoption_rows r ON r.table_name = 'sales_campaign_executions' AND r.old_id = v.execution_id AND r.own_id = r.old_id
  JOIN adoption_words k ON k.kind = 'event_type' AND k.word = adoption_fold(v.event_type) AND k.meaning IN ('email_sent', 'call_made', 'proposal_sent', 'custom')
  WHERE v.step_number BETWEEN 0 AND 10000 AND r.kept_id IS NOT NULL
  GROUP BY r.kept_id
),
judged AS MATERIALIZED (
  SELECT
    s.*,
    r.own_id, r.kept_id, r.parent_id AS new_campaign_id, r.lead_ext_id AS new_lead,
    (r.own_id = r.kept_id) IS TRUE AS stays,
    CASE WHEN (r.own_id = r.kept_id) IS NOT TRUE OR cardinality(s.unreadable) > 0 THEN s.whole END AS old_row,
    p.id AS new_pipeline_id,
    CASE g.status WHEN 'active' THEN 'paused' ELSE g.status END AS new_status,
    n.current_step AS new_current_step,
    greatest(adoption_limit(s.total_steps, 1000000), n.current_step)::int AS new_total_steps,
    least(coalesce(s.started_at, s.created_at, sales_now()), sales_now()) AS new_started_at,
    adoption_past(s.completed_at) AS new_completed_at,
    m.metadata || CASE g.status WHEN 'active' THEN '{"stop_reason": "campaign_disabled"}' ELSE '{}' END::jsonb AS new_metadata,
    m.metadata AS old_metadata,
    least(coalesce(s.created_at, s.started_at, sales_now()), sales_now()) AS new_created_at,
    least(coalesce(s.updated_at, s.created_at, sales_now()), sales_now()) AS new_updated_at
  FROM adopting_sales_campaign_executions s
  JOIN adoption_rows r ON r.table_name = 'sales_campaign_executions' AND r.place = s.place
  LEFT JOIN sales_pipeline p ON p.lead_ext_id = r.lead_ext_id
  LEFT JOIN done d ON d.kept_id = r.own_id
  LEFT JOIN adoption_words w ON w.kind = 'execution_status' AND w.word = adoption_fold(s.status)
  CROSS JOIN LATERAL (SELECT coalesce(w.meaning, 'stopped') AS status OFFSET 0) AS g
  CROSS JOIN LATERAL (
    SELECT greatest(adoption_limit(s.current_step, 1000000), d.steps, 0)::int AS current_step OFFSET 0
  ) AS n
  CROSS JOIN LATERAL (
    SELECT CASE WHEN s.metadata IS NULL OR jsonb_typeof(s.metadata) = 'object' THEN coalesce(s.metadata, '{}') ELSE jsonb_build_object('metadata', s.metadata) END
      AS metadata OFFSET 0
  ) AS m
),
adopted AS (
  INSERT INTO sales_campaign_executions (
    id, campaign_id, lead_ext_id, pipeline_id, status, current_step, total_steps, started_at, completed_at, next_action_at, metadata, created_at, updated_at)
  SELECT
    own_id, new_campaign_id, new_lead, new_pipeline_id, new_status, new_current_step, new_total_steps, new_started_at, new_completed_at,
    next_action_at, new_metadata, new_created_at, new_updated_at
  FROM judged
  WHERE stays
  ORDER BY place
)
INSERT INTO adoption_findings (table_name, row_key, lead_ext_id, rule, column_name, was, became, old_row)
SELECT
  'sales_campaign_executions', j.id::text, coalesce(j.new_lead, j.lead_ext_id), CASE WHEN j.kept_id IS NULL THEN 'orphan' ELSE 'duplicate' END, NULL, NULL,
  j.kept_id::text, j.old_row
FROM judged j
WHERE NOT j.stays
UNION ALL
SELECT 'sales_campaign_executions', j.own_id::text, j.new_lead, 'own_columns', NULL, NULL, NULL, j.own
FROM judged j
WHERE j.stays AND j.own IS NOT NULL
UNION ALL
SELECT 'sales_campaign_executions', j.own_id::text, j.new_lead, 'unreadable', u.name, j.old_row ->> u.name, NULL, NULL
FROM judged j
CROSS JOIN LATERAL unnest(j.unreadable) AS u (name)
WHERE j.stays
UNION ALL
SELECT 'sales_campaign_executions', j.own_id::text, j.new_lead, adoption_rule(v.rule, v.was, v.became), v.name, v.was, v.became, NULL
FROM judged j
CROSS JOIN LATERAL (VALUES
  ('id', CASE WHEN j.id = j.own_id THEN j.own_id::text ELSE j.id::text END, j.own_id::text, 'new_id'),
  ('lead_ext_id', j.lead_ext_id, j.new_lead::text, CASE WHEN j.lead_ext_id IS NULL THEN 'missing_value' ELSE 'repointed' END),
  ('pipeline_id', CASE WHEN j.pipeline_id = j.new_pipeline_id THEN j.new_pipeline_id::text ELSE j.pipeline_id::text END, j.new_pipeline_id::text,
    CASE WHEN j.pipeline_id IS NULL THEN 'missing_value' ELSE 'repointed' END),
  ('status', j.status, j.new_status, CASE WHEN j.new_status = 'paused' AND j.status IS NOT NULL THEN 'switched_off' ELSE 'word:execution_status' END),
  ('current_step', CASE WHEN j.current_step = j.new_current_step THEN j.new_current_step::text ELSE j.current_step::text END, j.new_current_step::text,
    CASE WHEN j.current_step IS NULL THEN 'missing_value' WHEN j.current_step < 0 THEN 'out_of_range' ELSE 'step_done' END),
  ('total_steps', CASE WHEN j.total_steps = j.new_total_steps THEN j.new_total_steps::text ELSE j.total_steps::text END, j.new_total_steps::text,
    CASE WHEN j.total_steps IS NULL THEN 'missing_value' WHEN j.total_steps < 0 THEN 'out_of_range' ELSE 'contradiction' END),
  ('started_at', j.started_at::text, j.new_started_at::text, CASE WHEN j.started_at IS NULL THEN 'missing_value' ELSE 'in_the_future' END),
  ('completed_at', j.completed_at::text, j.new_completed_at::text, 'in_the_future'),
  ('metadata', coalesce(j.metadata, '{}')::text, j.old_metadata::text, 'reshaped'),
  ('created_at', j.created_at::text, j.new_created_at::text, CASE WHEN j.created_at IS NULL THEN 'missing_value' ELSE 'in_the_future' END),
  ('updated_at', j.updated_at::text, j.new_updated_at::text, CASE WHEN j.updated_at IS NULL THEN 'missing_value' ELSE 'in_the_future' END)
) AS v (name, was, became, rule)
-- The first comparison spares unchanged rows that of their columns one by one.
WHERE j.stays AND (
    j.id, j.lead_ext_id, j.pipeline_id, j.status, j.current_step, j.total_steps, j.started_at, j.completed_at,
    coalesce(j.metadata, '{}'), j.created_at, j.updated_at
  ) IS DISTINCT FROM (
    j.own_id::numeric, j.new_lead::text, j.new_pipeline_id::numeric, j.new_status, j.new_current_step::numeric,
    j.new_total_steps::numeric, j.new_started_at, j.new_completed_at, j.old_metadata, j.new_created_at, j.new_updated_at
  )
  AND v.was IS DISTINCT FROM v.became
  AND NOT (v.was IS NULL AND v.name IN (
    SELECT m.column_name FROM adoption_findings m WHERE m.table_name = 'sales_campaign_executions' AND m.rule = 'missing_column'))
