-- Every rep with what decides who may get leads: own limits (null: the run's), absence at the instant, open deals now, overdue tasks. Words are
-- folded as auto_assign_sales_rep compares them. Deals and tasks are counted per rep through idx_pipeline_assigned_stage and
-- idx_tasks_assigned_open.
SELECT
  r.email,
  r.active,
  EXISTS (
    SELECT FROM sales_rep_absences a WHERE a.rep_email = r.email AND a.starts_at <= @as_of AND (a.ends_at IS NULL OR a.ends_at > @as_of)) AS absent,
  r.max_active_leads,
  r.min_active_leads,
  r.weight::double precision,
  (SELECT count(*) FROM sales_pipeline p WHERE p.assigned_to = r.email AND p.stage < 'closed_won')::int AS load,
  (SELECT count(*) FROM sales_followup_tasks t
    WHERE t.assigned_to = r.email AND t.status IN ('pending', 'in_progress') AND t.due_date < @as_of)::int AS overdue_tasks,
  ARRAY(SELECT DISTINCT lower(btrim(s.name)) FROM unnest(r.specialisations) AS s (name) WHERE btrim(s.name) <> '' ORDER BY 1) AS specialisations,
  ARRAY(SELECT DISTINCT split_part(replace(lower(btrim(s.name)), '_', '-'), '-', 1) FROM unnest(r.languages) AS s (name) ORDER BY 1) AS languages,
  ARRAY(SELECT DISTINCT lower(btrim(s.name)) FROM unnest(r.regions) AS s (name) ORDER BY 1) AS regions
FROM sales_reps r
ORDER BY r.email
