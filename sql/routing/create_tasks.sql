-- Tells reps by a task in their list: one for each deal they got that has no open task. In the rep's language. It is the task that the deal's
-- stage asks for, of its kind and due as it says, so that follow-up makes no second one and completing it moves the deal on; a stage that asks
-- for none gets a task all the same, because the rep is to know. Leads that the running experiment holds out get none: it would be the automatic
-- follow-up that they are to do without. The rep gets them all the same, and is told by the notices where those are on.
INSERT INTO sales_followup_tasks (
  pipeline_id, lead_ext_id, task_type, task_title, task_description, priority, assigned_to, due_date, followup_stage, metadata, created_at, updated_at)
SELECT
  p.id, p.lead_ext_id, coalesce(f.task_type, 'custom'),
  CASE
    WHEN r.spanish AND x.owner IS NULL THEN 'Lead nuevo: primer contacto'
    WHEN r.spanish THEN 'Lead recibido de otra persona: tomar contacto'
    WHEN x.owner IS NULL THEN 'New lead: make contact'
    ELSE 'Lead taken over: make contact'
  END,
  CASE WHEN x.owner IS NOT NULL THEN CASE WHEN r.spanish THEN 'Antes: ' ELSE 'Before: ' END || x.owner END,
  greatest(f.priority, p.priority, 'medium'), x.rep,
  coalesce(
    followup_due_at(@as_of, f.due_after, f.due_before_meeting, deal_meeting_at(p.id, p.metadata, @as_of)), @as_of + interval '24 hours'),
  f.stage,
  jsonb_strip_nulls(jsonb_build_object('origin', 'routing', 'routing_run', @run_id::bigint, 'template', f.template)), @as_of, @as_of
FROM unnest(@ids::bigint[], @reps::text[], @owners::text[]) AS x (id, rep, owner)
JOIN sales_pipeline p ON p.id = x.id
JOIN (SELECT email, coalesce(lower(languages[1]) LIKE 'es%', false) AS spanish FROM sales_reps) r ON r.email = x.rep
LEFT JOIN followup_templates f ON f.stage = p.stage AND NOT f.after_meeting
WHERE NOT EXISTS (
  SELECT FROM sales_followup_tasks t WHERE t.pipeline_id = p.id AND t.status IN ('pending', 'in_progress'))
  AND NOT EXISTS (SELECT FROM held_out_leads h WHERE h.lead_ext_id = p.lead_ext_id)
ORDER BY p.id
ON CONFLICT (pipeline_id, followup_stage) WHERE followup_stage IS NOT NULL AND status IN ('pending', 'in_progress') DO NOTHING
