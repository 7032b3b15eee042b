-- The trigger on new deals dates an open deal's present stage now. It was there before: since the first contact where it is contacted, else
-- since the last one or since the row was last changed, as far as the old table tells.
UPDATE sales_stage_history h
SET changed_at = least(greatest(p.qualified_at, coalesce(CASE p.stage WHEN 'contacted' THEN p.first_contact_at END, p.last_contact_at, p.updated_at)), h.changed_at)
FROM sales_pipeline p
WHERE p.id = h.pipeline_id AND p.stage < 'closed_won' AND h.from_stage IS NOT NULL
