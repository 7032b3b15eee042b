-- Tells reps by a task in their list: one for each deal they got that has no open task. In the rep's language.
INSERT INTO sales_followup_tasks (
  pipeline_id, lead_ext_id, task_type, task_title, task_description, priority, assigned_to, due_date, metadata, created_at, updated_at)
SELECT
  p.id, p.lead_ext_id, 'custom',
  CASE
    WHEN r.spanish AND x.owner IS NULL THEN 'Lead nuevo: primer contacto'
    WHEN r.spanish THEN 'Lead recibido de otra persona: tomar contacto'
    WHEN x.owner IS NULL THEN 'New lead: make contact'
    ELSE 'Lead taken over: make contact'
  END,
  CASE WHEN x.owner IS NOT NULL THEN CASE WHEN r.spanish THEN 'Antes: ' ELSE 'Before: ' END || x.owner END,
  coalesce(p.priority, 'medium'), x.rep, @as_of + interval '24 hours',
  jsonb_build_object('origin', 'routing', 'routing_run', @run_id::bigint), @as_of, @as_of
FROM unnest(@ids::bigint[], @reps::text[], @owners::text[]) AS x (id, rep, owner)
JOIN sales_pipeline p ON p.id = x.id
JOIN (SELECT email, coalesce(lower(languages[1]) LIKE 'es%', false) AS spanish FROM sales_reps) r ON r.email = x.rep
WHERE NOT EXISTS (
  SELECT FROM sales_followup_tasks t WHERE t.pipeline_id = p.id AND t.status IN ('pending', 'in_progress'))
ORDER BY p.id
