-- Tasks made by followup create-tasks that wait although their deal is closed. What people made or began stays theirs.
SELECT
  'warning' AS severity,
  'sales_followup_tasks' AS subject,
  format('%s tasks wait for deals that are closed, for instance id %s', count(*), min(t.id)) AS detail,
  format('%s tareas esperan en oportunidades ya cerradas, por ejemplo id %s', count(*), min(t.id)) AS detail_es,
  'UPDATE sales_followup_tasks t SET status = ''cancelled'' FROM sales_pipeline p '
    'WHERE p.id = t.pipeline_id AND p.stage >= ''closed_won'' AND t.followup_stage IS NOT NULL AND t.status = ''pending''' AS fix
FROM sales_followup_tasks t
JOIN sales_pipeline p ON p.id = t.pipeline_id
WHERE t.status = 'pending' AND t.followup_stage IS NOT NULL AND p.stage >= 'closed_won'
HAVING count(*) > 0
