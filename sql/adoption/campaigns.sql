-- Old campaigns into sales_campaigns, switched off: what another program meant by a step or a criterion may be something else here, and a
-- message cannot be called back. A person looks at each (campaigns show, campaigns preview) and enables it; its executions then go on.
WITH judged AS MATERIALIZED (
  SELECT
    s.*,
    r.own_id,
    CASE WHEN cardinality(s.unreadable) > 0 THEN s.whole END AS old_row,
    CASE WHEN b.turn = 1 AND b.base <> '' THEN b.base ELSE btrim(left(b.base, 230) || ' #' || r.own_id) END AS new_name,
    adoption_text(s.description, 10000000) AS new_description,
    coalesce(k.meaning, 'multichannel') AS new_campaign_type,
    CASE WHEN jsonb_typeof(s.trigger_criteria) = 'object' THEN s.trigger_criteria ELSE '{}' END AS new_trigger_criteria,
    CASE
      WHEN jsonb_typeof(s.steps_config) = 'array' THEN s.steps_config
      WHEN jsonb_typeof(s.steps_config -> 'steps') = 'array' THEN s.steps_config -> 'steps'
      ELSE '[]'
    END AS new_steps_config,
    CASE WHEN s.max_leads_per_run >= 0 AND s.max_leads_per_run < 2147483647 THEN round(s.max_leads_per_run)::int ELSE 50 END AS new_max_leads_per_run,
    least(coalesce(s.created_at, s.updated_at, sales_now()), sales_now()) AS new_created_at,
    least(coalesce(s.updated_at, s.created_at, sales_now()), sales_now()) AS new_updated_at
  FROM adopting_sales_campaigns s
  JOIN adoption_rows r ON r.table_name = 'sales_campaigns' AND r.place = s.place
  JOIN (
    SELECT n.place, n.base, row_number() OVER (PARTITION BY n.base ORDER BY n.updated_at DESC NULLS LAST, n.place DESC) AS turn
    FROM (SELECT c.place, c.updated_at, coalesce(btrim(adoption_text(c.name, 256)), '') AS base FROM adopting_sales_campaigns c) n
  ) b ON b.place = s.place
  LEFT JOIN adoption_words k ON k.kind = 'campaign_type' AND k.word = adoption_fold(s.campaign_type)
),
adopted AS (
  INSERT INTO sales_campaigns (
    id, name, description, campaign_type, trigger_criteria, steps_config, enabled, max_leads_per_run, created_at, updated_at)
  SELECT
    own_id, new_name, new_description, new_campaign_type, new_trigger_criteria, new_steps_config, false, new_max_leads_per_run, new_created_at, new_updated_at
  FROM judged
  ORDER BY place
)
INSERT INTO adoption_findings (table_name, row_key, rule, column_name, was, became, old_row)
SELECT 'sales_campaigns', j.own_id::text, 'own_columns', NULL, NULL, NULL, j.own
FROM judged j
WHERE j.own IS NOT NULL
UNION ALL
SELECT 'sales_campaigns', j.own_id::text, 'unreadable', u.name, j.old_row ->> u.name, NULL, NULL
FROM judged j
CROSS JOIN LATERAL unnest(j.unreadable) AS u (name)
UNION ALL
SELECT 'sales_campaigns', j.own_id::text, adoption_rule(v.rule, v.was, v.became), v.name, v.was, v.became, NULL
FROM judged j
CROSS JOIN LATERAL (VALUES
  ('id', CASE WHEN j.id = j.own_id THEN j.own_id::text ELSE j.id::text END, j.own_id::text, 'new_id'),
  ('name', j.name, j.new_name, CASE WHEN j.name IS NULL THEN 'missing_value' ELSE 'renamed' END),
  ('description', j.description, j.new_description, 'control_characters'),
  ('campaign_type', j.campaign_type, j.new_campaign_type, 'word:campaign_type'),
  ('trigger_criteria', j.trigger_criteria::text, j.new_trigger_criteria::text,
    CASE WHEN j.trigger_criteria IS NULL THEN 'missing_value' ELSE 'reshaped' END),
  ('steps_config', j.steps_config::text, j.new_steps_config::text, CASE WHEN j.steps_config IS NULL THEN 'missing_value' ELSE 'reshaped' END),
  ('enabled', coalesce(j.enabled, true)::text, 'false', 'switched_off'),
  ('max_leads_per_run', CASE WHEN j.max_leads_per_run = j.new_max_leads_per_run THEN j.new_max_leads_per_run::text ELSE j.max_leads_per_run::text END, j.new_max_leads_per_run::text,
    CASE WHEN j.max_leads_per_run IS NULL THEN 'missing_value' ELSE 'out_of_range' END),
  ('created_at', j.created_at::text, j.new_created_at::text, CASE WHEN j.created_at IS NULL THEN 'missing_value' ELSE 'in_the_future' END),
  ('updated_at', j.updated_at::text, j.new_updated_at::text, CASE WHEN j.updated_at IS NULL THEN 'missing_value' ELSE 'in_the_future' END)
) AS v (name, was, became, rule)
-- The first comparison spares unchanged rows that of their columns one by one.
WHERE (
    j.id, j.name, j.description, j.campaign_type, j.trigger_criteria, j.steps_config, coalesce(j.enabled, true),
    j.max_leads_per_run, j.created_at, j.updated_at
  ) IS DISTINCT FROM (
    j.own_id::numeric, j.new_name, j.new_description, j.new_campaign_type, j.new_trigger_criteria, j.new_steps_config, false,
    j.new_max_leads_per_run::numeric, j.new_created_at, j.new_updated_at
  )
  AND v.was IS DISTINCT FROM v.became
  AND NOT (v.was IS NULL AND v.name IN (SELECT m.column_name FROM adoption_findings m WHERE m.table_name = 'sales_campaigns' AND m.rule = 'missing_column'))
