-- Another spelling of the same values.
UPDATE sales_followup_tasks t
SET task_title = i.title, task_description = i.description
FROM unnest(@ids::bigint[], @titles::text[], @descriptions::text[]) AS i (id, title, description)
WHERE t.id = i.id
