-- The next tasks with a token in their texts.
SELECT t.id, l.lead_id, l.ext_id, t.task_title, t.task_description
FROM sales_followup_tasks t
JOIN leads l ON l.ext_id = t.lead_ext_id
WHERE t.id > @after AND (position('sealed-' IN t.task_title) > 0 OR position('sealed-' IN t.task_description) > 0)
ORDER BY t.id
LIMIT @limit
FOR NO KEY UPDATE OF t
