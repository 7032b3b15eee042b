-- Takes the CRM's values into deals. A key that is missing leaves its column alone; stage history and closed_at follow by their triggers.
UPDATE sales_pipeline p
SET stage = CASE WHEN i.values ? 'stage' THEN (i.values ->> 'stage')::pipeline_stage ELSE p.stage END,
    assigned_to = CASE WHEN i.values ? 'assigned_to' THEN i.values ->> 'assigned_to' ELSE p.assigned_to END,
    estimated_value = CASE WHEN i.values ? 'estimated_value' THEN (i.values ->> 'estimated_value')::numeric ELSE p.estimated_value END,
    probability_pct = CASE WHEN i.values ? 'probability_pct' THEN (i.values ->> 'probability_pct')::int ELSE p.probability_pct END,
    next_followup_at = CASE WHEN i.values ? 'next_followup_at' THEN (i.values ->> 'next_followup_at')::timestamptz ELSE p.next_followup_at END,
    notes = CASE WHEN i.values ? 'notes' THEN i.values ->> 'notes' ELSE p.notes END,
    updated_at = sales_now()
FROM jsonb_to_recordset(@items::jsonb) AS i (lead_ext_id text, values jsonb)
WHERE p.lead_ext_id = i.lead_ext_id
