-- Executions that have done more steps than there are, or go on after their last one.
SELECT
  'error' AS severity,
  concat('campaign ', c.name) AS subject,
  format('%s executions are beyond their last step, for instance id %s', count(*), min(e.id)) AS detail,
  format('%s ejecuciones van más allá de su último paso, por ejemplo id %s', count(*), min(e.id)) AS detail_es,
  format('UPDATE sales_campaign_executions SET current_step = total_steps WHERE campaign_id = %s AND current_step > total_steps', c.id) AS fix
FROM sales_campaign_executions e
JOIN sales_campaigns c ON c.id = e.campaign_id
WHERE e.current_step > e.total_steps
GROUP BY c.id, c.name
ORDER BY c.name
LIMIT 20
