-- Old tasks into sales_followup_tasks. A task of a deal that is gone belongs to the deal that its lead has now; one whose lead has none
-- either is set aside.
WITH renumbered AS (
  SELECT b.place, (SELECT coalesce(max(m.id), 0)::bigint FROM adopting_sales_followup_tasks m WHERE m.id < 4611686018427387904) + row_number() OVER (ORDER BY b.place) AS id
  FROM (
    SELECT
      t.place, (t.id = trunc(t.id) AND t.id BETWEEN 1 AND 4611686018427387904) IS TRUE AS whole_id, row_number() OVER (PARTITION BY t.id ORDER BY t.place) AS turn
    FROM adopting_sales_followup_tasks t
    WHERE (t.id = trunc(t.id) AND t.id BETWEEN 1 AND 4611686018427387904) IS NOT TRUE
      OR t.id IN (SELECT k.id FROM adopting_sales_followup_tasks k GROUP BY k.id HAVING count(*) > 1)
  ) b
  WHERE NOT b.whole_id OR b.turn > 1
),
judged AS MATERIALIZED (
  SELECT
    s.*,
    coalesce(n.id, s.id)::bigint AS new_id,
    coalesce(d.kept_id, p.id) AS new_pipeline_id,
    coalesce(d.lead_ext_id, p.lead_ext_id) AS new_lead,
    coalesce(d.kept_id, p.id) IS NOT NULL AS stays,
    CASE WHEN coalesce(d.kept_id, p.id) IS NULL OR cardinality(s.unreadable) > 0 THEN s.whole END AS old_row,
    coalesce(k.meaning, 'custom') AS new_task_type,
    coalesce(nullif(btrim(adoption_text(s.task_title, 10000000)), ''), initcap(coalesce(k.meaning, 'task'))) AS new_task_title,
    adoption_text(s.task_description, 10000000) AS new_task_description,
    g.status AS new_status,
    coalesce(r.meaning, 'medium') AS new_priority,
    CASE WHEN position('@' IN s.assigned_to) > 0 THEN lower(btrim(adoption_text(s.assigned_to, 256))) ELSE nullif(btrim(adoption_text(s.assigned_to, 256)), '') END
      AS new_assigned_to,
    CASE g.status WHEN 'completed' THEN least(coalesce(s.completed_at, s.updated_at, s.due_date, s.created_at, sales_now()), sales_now()) END AS new_completed_at,
    adoption_text(s.completed_by, 256) AS new_completed_by,
    CASE WHEN s.metadata IS NULL OR jsonb_typeof(s.metadata) = 'object' THEN coalesce(s.metadata, '{}') ELSE jsonb_build_object('metadata', s.metadata) END
      AS new_metadata,
    least(coalesce(s.created_at, s.updated_at, sales_now()), sales_now()) AS new_created_at,
    least(coalesce(s.updated_at, s.created_at, sales_now()), sales_now()) AS new_updated_at
  FROM adopting_sales_followup_tasks s
  LEFT JOIN renumbered n ON n.place = s.place
  LEFT JOIN adoption_rows d ON d.table_name = 'sales_pipeline' AND d.old_id = s.pipeline_id AND d.own_id = d.old_id
  LEFT JOIN sales_pipeline p ON d.own_id IS NULL AND p.lead_ext_id = adoption_key(s.lead_ext_id)
  LEFT JOIN adoption_words k ON k.kind = 'task_type' AND k.word = adoption_fold(s.task_type)
  LEFT JOIN adoption_words r ON r.kind = 'priority' AND r.word = adoption_fold(s.priority)
  LEFT JOIN adoption_words t ON t.kind = 'task_status' AND t.word = adoption_fold(s.status)
  CROSS JOIN LATERAL (
    SELECT coalesce(t.meaning, CASE WHEN s.completed_at IS NOT NULL THEN 'completed' ELSE 'pending' END) AS status OFFSET 0
  ) AS g
),
adopted AS (
  INSERT INTO sales_followup_tasks (
    id, pipeline_id, lead_ext_id, task_type, task_title, task_description, status, priority, assigned_to, due_date, completed_at, completed_by,
    metadata, created_at, updated_at)
  SELECT
    new_id, new_pipeline_id, new_lead, new_task_type, new_task_title, new_task_description, new_status, new_priority::priority_level,
    new_assigned_to, due_date, new_completed_at, new_completed_by, new_metadata, new_created_at, new_updated_at
  FROM judged
  WHERE stays
  ORDER BY place
)
INSERT INTO adoption_findings (table_name, row_key, lead_ext_id, rule, column_name, was, became, old_row)
SELECT 'sales_followup_tasks', j.id::text, j.lead_ext_id, 'orphan', NULL, NULL, NULL, j.old_row
FROM judged j
WHERE NOT j.stays
UNION ALL
SELECT 'sales_followup_tasks', j.new_id::text, j.new_lead, 'own_columns', NULL, NULL, NULL, j.own
FROM judged j
WHERE j.stays AND j.own IS NOT NULL
UNION ALL
SELECT 'sales_followup_tasks', j.new_id::text, j.new_lead, 'unreadable', u.name, j.old_row ->> u.name, NULL, NULL
FROM judged j
CROSS JOIN LATERAL unnest(j.unreadable) AS u (name)
WHERE j.stays
UNION ALL
SELECT 'sales_followup_tasks', j.new_id::text, j.new_lead, adoption_rule(v.rule, v.was, v.became), v.name, v.was, v.became, NULL
FROM judged j
CROSS JOIN LATERAL (VALUES
  ('id', CASE WHEN j.id = j.new_id THEN j.new_id::text ELSE j.id::text END, j.new_id::text, 'new_id'),
  ('pipeline_id', CASE WHEN j.pipeline_id = j.new_pipeline_id THEN j.new_pipeline_id::text ELSE j.pipeline_id::text END, j.new_pipeline_id::text,
    'repointed'),
  ('lead_ext_id', j.lead_ext_id, j.new_lead::text, CASE WHEN j.lead_ext_id IS NULL THEN 'missing_value' ELSE 'repointed' END),
  ('task_type', j.task_type, j.new_task_type,
    CASE WHEN j.task_type IS NULL THEN 'missing_value' WHEN j.new_task_type = 'custom' THEN 'unknown_value' ELSE 'other_word' END),
  ('task_title', j.task_title, j.new_task_title, 'text'),
  ('task_description', j.task_description, j.new_task_description, 'control_characters'),
  ('status', j.status, j.new_status, 'word:task_status'),
  ('priority', j.priority, j.new_priority, 'word:priority'),
  ('assigned_to', nullif(j.assigned_to, ''), j.new_assigned_to, 'address_folded'),
  ('completed_at', j.completed_at::text, j.new_completed_at::text,
    CASE WHEN j.completed_at IS NULL THEN 'missing_value' WHEN j.new_completed_at IS NULL THEN 'contradiction' ELSE 'in_the_future' END),
  ('completed_by', j.completed_by, j.new_completed_by, 'text'),
  ('metadata', coalesce(j.metadata, '{}')::text, j.new_metadata::text, 'reshaped'),
  ('created_at', j.created_at::text, j.new_created_at::text, CASE WHEN j.created_at IS NULL THEN 'missing_value' ELSE 'in_the_future' END),
  ('updated_at', j.updated_at::text, j.new_updated_at::text, CASE WHEN j.updated_at IS NULL THEN 'missing_value' ELSE 'in_the_future' END)
) AS v (name, was, became, rule)
-- The first comparison spares unchanged rows that of their columns one by one.
WHERE j.stays AND (
    j.id, j.pipeline_id, j.lead_ext_id, j.task_type, j.task_title, j.task_description, j.status, j.priority,
    nullif(j.assigned_to, ''), j.completed_at, j.completed_by, coalesce(j.metadata, '{}'), j.created_at, j.updated_at
  ) IS DISTINCT FROM (
    j.new_id::numeric, j.new_pipeline_id::numeric, j.new_lead::text, j.new_task_type, j.new_task_title, j.new_task_description,
    j.new_status, j.new_priority, j.new_assigned_to, j.new_completed_at, j.new_completed_by, j.new_metadata, j.new_created_at,
    j.new_updated_at
  )
  AND v.was IS DISTINCT FROM v.became
  AND NOT (v.was IS NULL AND v.name IN (SELECT m.column_name FROM adoption_findings m WHERE m.table_name = 'sales_followup_tasks' AND m.rule = 'missing_column'))
