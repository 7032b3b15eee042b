-- One open task a deal and stage, of those made by followup create-tasks.
SELECT
  'error' AS severity,
  'sales_followup_tasks' AS subject,
  format('%s deals have several open tasks for one stage, for instance deal %s', count(*), min(d.pipeline_id)) AS detail,
  format('%s oportunidades tienen varias tareas abiertas de una etapa, por ejemplo la %s', count(*), min(d.pipeline_id)) AS detail_es,
  'UPDATE sales_followup_tasks t SET status = ''skipped'' WHERE t.status = ''pending'' AND t.followup_stage IS NOT NULL AND EXISTS (SELECT FROM '
    'sales_followup_tasks o WHERE o.pipeline_id = t.pipeline_id AND o.followup_stage = t.followup_stage AND o.status IN (''pending'', ''in_progress'') '
    'AND o.id < t.id)' AS fix
FROM (
  SELECT t.pipeline_id
  FROM sales_followup_tasks t
  WHERE t.followup_stage IS NOT NULL AND t.status IN ('pending', 'in_progress')
  GROUP BY t.pipeline_id, t.followup_stage
  HAVING count(*) > 1
) d
HAVING count(*) > 0
