-- The open tasks of a deal go with it: those of its former owner, and those nobody has. Tasks of third parties stay theirs.
UPDATE sales_followup_tasks t
SET assigned_to = x.rep,
    updated_at = @as_of
FROM unnest(@ids::bigint[], @reps::text[], @owners::text[]) AS x (id, rep, owner)
WHERE t.pipeline_id = x.id AND t.status IN ('pending', 'in_progress') AND (t.assigned_to IS NULL OR t.assigned_to = x.owner)
  AND t.assigned_to IS DISTINCT FROM x.rep
