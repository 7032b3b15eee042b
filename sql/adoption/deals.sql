-- Old deals into sales_pipeline, under the ids and leads of deal_rows.sql. A closed deal has closed_at, from the last instant known where it
-- was missing; an open one has none.
WITH judged AS MATERIALIZED (
  SELECT
    s.*,
    r.own_id, r.kept_id, r.lead_ext_id AS new_lead,
    r.own_id = r.kept_id AS stays,
    CASE WHEN r.own_id <> r.kept_id OR cardinality(s.unreadable) > 0 THEN s.whole END AS old_row,
    coalesce(nullif(btrim(adoption_text(s.email, 256)), ''), l.email, '') AS new_email,
    adoption_text(s.first_name, 128) AS new_first_name,
    adoption_text(s.last_name, 128) AS new_last_name,
    adoption_text(s.phone, 64) AS new_phone,
    adoption_limit(s.score, 100) AS new_score,
    p.meaning AS new_priority,
    adoption_text(s.source, 32) AS new_source,
    adoption_text(s.utm_source, 128) AS new_utm_source,
    adoption_text(s.utm_campaign, 128) AS new_utm_campaign,
    g.stage AS new_stage,
    CASE WHEN position('@' IN s.assigned_to) > 0 THEN lower(btrim(adoption_text(s.assigned_to, 256))) ELSE nullif(btrim(adoption_text(s.assigned_to, 256)), '') END
      AS new_assigned_to,
    least(coalesce(s.qualified_at, s.created_at, s.first_contact_at, c.closed_at, sales_now()), c.closed_at, sales_now()) AS new_qualified_at,
    adoption_past(s.first_contact_at) AS new_first_contact_at,
    adoption_past(s.last_contact_at) AS new_last_contact_at,
    c.closed_at AS new_closed_at,
    CASE WHEN s.estimated_value >= 0 AND s.estimated_value < 9999999999.995 THEN round(s.estimated_value, 2) END AS new_estimated_value,
    adoption_limit(s.probability_pct, 100) AS new_probability_pct,
    adoption_text(s.notes, 10000000) AS new_notes,
    CASE WHEN s.metadata IS NULL OR jsonb_typeof(s.metadata) = 'object' THEN coalesce(s.metadata, '{}') ELSE jsonb_build_object('metadata', s.metadata) END
      AS new_metadata,
    least(coalesce(s.created_at, s.qualified_at, sales_now()), sales_now()) AS new_created_at,
    least(coalesce(s.updated_at, s.created_at, sales_now()), sales_now()) AS new_updated_at
  FROM adopting_sales_pipeline s
  JOIN adoption_rows r ON r.table_name = 'sales_pipeline' AND r.place = s.place
  LEFT JOIN leads l ON l.ext_id = r.lead_ext_id
  LEFT JOIN adoption_words p ON p.kind = 'priority' AND p.word = adoption_fold(s.priority)
  LEFT JOIN adoption_words w ON w.kind = 'stage' AND w.word = adoption_fold(s.stage)
  CROSS JOIN LATERAL (
    -- A stage nobody knows: over where the row says when, else the first one.
    SELECT coalesce(w.meaning, CASE WHEN s.closed_at IS NOT NULL THEN 'closed_lost' ELSE 'qualified' END) AS stage OFFSET 0
  ) AS g
  CROSS JOIN LATERAL (
    SELECT CASE WHEN g.stage IN ('closed_won', 'closed_lost')
      THEN least(coalesce(s.closed_at, s.updated_at, s.last_contact_at, s.created_at, s.qualified_at, sales_now()), sales_now()) END AS closed_at OFFSET 0
  ) AS c
),
adopted AS (
  INSERT INTO sales_pipeline (
    id, lead_ext_id, email, first_name, last_name, phone, score, priority, source, utm_source, utm_campaign, stage, assigned_to, qualified_at,
    first_contact_at, last_contact_at, next_followup_at, closed_at, estimated_value, probability_pct, notes, metadata, created_at, updated_at)
  SELECT
    own_id, new_lead, new_email, new_first_name, new_last_name, new_phone, new_score, new_priority::priority_level, new_source, new_utm_source,
    new_utm_campaign, new_stage::pipeline_stage, new_assigned_to, new_qualified_at, new_first_contact_at, new_last_contact_at, next_followup_at,
    new_closed_at, new_estimated_value, new_probability_pct, new_notes, new_metadata, new_created_at, new_updated_at
  FROM judged
  WHERE stays
  ORDER BY place
)
INSERT INTO adoption_findings (table_name, row_key, lead_ext_id, rule, column_name, was, became, old_row)
SELECT 'sales_pipeline', j.id::text, j.new_lead, 'duplicate', NULL, NULL, j.kept_id::text, j.old_row
FROM judged j
WHERE NOT j.stays
UNION ALL
SELECT 'sales_pipeline', j.own_id::text, j.new_lead, 'own_columns', NULL, NULL, NULL, j.own
FROM judged j
WHERE j.stays AND j.own IS NOT NULL
UNION ALL
SELECT 'sales_pipeline', j.own_id::text, j.new_lead, 'unreadable', u.name, j.old_row ->> u.name, NULL, NULL
FROM judged j
CROSS JOIN LATERAL unnest(j.unreadable) AS u (name)
WHERE j.stays
UNION ALL
SELECT 'sales_pipeline', j.own_id::text, j.new_lead, adoption_rule(v.rule, v.was, v.became), v.name, v.was, v.became, NULL
FROM judged j
CROSS JOIN LATERAL (VALUES
  ('id', CASE WHEN j.id = j.own_id THEN j.own_id::text ELSE j.id::text END, j.own_id::text, 'new_id'),
  ('lead_ext_id', j.lead_ext_id, j.new_lead::text, CASE WHEN j.lead_ext_id ~ '[^[:space:]]' THEN 'too_long' ELSE 'missing_value' END),
  ('email', j.email, j.new_email, 'text'),
  ('first_name', j.first_name, j.new_first_name, 'text'),
  ('last_name', j.last_name, j.new_last_name, 'text'),
  ('phone', j.phone, j.new_phone, 'text'),
  ('source', j.source, j.new_source, 'text'),
  ('utm_source', j.utm_source, j.new_utm_source, 'text'),
  ('utm_campaign', j.utm_campaign, j.new_utm_campaign, 'text'),
  ('notes', j.notes, j.new_notes, 'text'),
  ('score', CASE WHEN j.score = j.new_score THEN j.new_score::text ELSE j.score::text END, j.new_score::text,
    CASE WHEN j.score BETWEEN 0 AND 100 THEN 'rounded' ELSE 'out_of_range' END),
  ('priority', nullif(j.priority, ''), j.new_priority, CASE WHEN j.new_priority IS NULL THEN 'unknown_value' ELSE 'other_word' END),
  ('stage', j.stage, j.new_stage, 'word:stage'),
  ('assigned_to', nullif(j.assigned_to, ''), j.new_assigned_to, 'address_folded'),
  ('qualified_at', j.qualified_at::text, j.new_qualified_at::text,
    CASE WHEN j.qualified_at IS NULL THEN 'missing_value' WHEN j.qualified_at > sales_now() THEN 'in_the_future' ELSE 'contradiction' END),
  ('first_contact_at', j.first_contact_at::text, j.new_first_contact_at::text, 'in_the_future'),
  ('last_contact_at', j.last_contact_at::text, j.new_last_contact_at::text, 'in_the_future'),
  ('closed_at', j.closed_at::text, j.new_closed_at::text,
    CASE WHEN j.closed_at IS NULL THEN 'missing_value' WHEN j.new_closed_at IS NULL THEN 'contradiction' ELSE 'in_the_future' END),
  ('estimated_value', CASE WHEN j.estimated_value = j.new_estimated_value THEN j.new_estimated_value::text ELSE j.estimated_value::text END, j.new_estimated_value::text,
    CASE WHEN j.new_estimated_value IS NULL THEN 'out_of_range' ELSE 'rounded' END),
  ('probability_pct', CASE WHEN j.probability_pct = j.new_probability_pct THEN j.new_probability_pct::text ELSE j.probability_pct::text END, j.new_probability_pct::text,
    CASE WHEN j.probability_pct BETWEEN 0 AND 100 THEN 'rounded' ELSE 'out_of_range' END),
  ('metadata', coalesce(j.metadata, '{}')::text, j.new_metadata::text, 'reshaped'),
  ('created_at', j.created_at::text, j.new_created_at::text, CASE WHEN j.created_at IS NULL THEN 'missing_value' ELSE 'in_the_future' END),
  ('updated_at', j.updated_at::text, j.new_updated_at::text, CASE WHEN j.updated_at IS NULL THEN 'missing_value' ELSE 'in_the_future' END)
) AS v (name, was, became, rule)
-- The first comparison spares unchanged rows that of their columns one by one.
WHERE j.stays AND (
    j.id, j.lead_ext_id, j.email, j.first_name, j.last_name, j.phone, j.source, j.utm_source, j.utm_campaign, j.notes, j.score,
    nullif(j.priority, ''), j.stage, nullif(j.assigned_to, ''), j.qualified_at, j.first_contact_at, j.last_contact_at,
    j.closed_at, j.estimated_value, j.probability_pct, coalesce(j.metadata, '{}'), j.created_at, j.updated_at
  ) IS DISTINCT FROM (
    j.own_id::numeric, j.new_lead::text, j.new_email, j.new_first_name, j.new_last_name, j.new_phone, j.new_source,
    j.new_utm_source, j.new_utm_campaign, j.new_notes, j.new_score::numeric, j.new_priority, j.new_stage, j.new_assigned_to,
    j.new_qualified_at, j.new_first_contact_at, j.new_last_contact_at, j.new_closed_at, j.new_estimated_value::numeric,
    j.new_probability_pct::numeric, j.new_metadata, j.new_created_at, j.new_updated_at
  )
  AND v.was IS DISTINCT FROM v.became
  AND NOT (v.was IS NULL AND v.name IN (SELECT m.column_name FROM adoption_findings m WHERE m.table_name = 'sales_pipeline' AND m.rule = 'missing_column'))
