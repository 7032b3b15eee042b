-- The same within the texts of a lead's tasks.
UPDATE sales_followup_tasks t
SET task_title = replace(t.task_title, c.number, c.token), task_description = replace(t.task_description, c.number, c.token)
FROM (
  SELECT DISTINCT ON (k.id) k.id, i.number, i.token
  FROM unnest(@leads::text[], @numbers::text[], @tokens::text[]) AS i (lead, number, token)
  CROSS JOIN LATERAL (
    SELECT s.id FROM sales_followup_tasks s
    WHERE s.lead_ext_id = i.lead AND (position(i.number IN s.task_title) > 0 OR position(i.number IN s.task_description) > 0)
    OFFSET 0) AS k
  ORDER BY k.id
) AS c
WHERE t.id = c.id
