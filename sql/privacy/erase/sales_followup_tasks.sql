-- Who did what kind of task when, and whether it was answered, is counted; what was to be said is gone. Open ones are off.
UPDATE sales_followup_tasks t
SET task_title = 'erased', task_description = NULL, updated_at = sales_now(),
    metadata = CASE WHEN t.metadata ->> 'outcome' IN ('answered', 'replied') THEN jsonb_build_object('outcome', t.metadata -> 'outcome') ELSE '{}' END,
    completed_by = left(without_person(t.completed_by, @terms::text[]), 256),
    status = CASE WHEN t.status IN ('pending', 'in_progress') THEN 'cancelled' ELSE t.status END
WHERE t.lead_ext_id = ANY (@leads::text[])
