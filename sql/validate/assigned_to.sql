-- Open deals of an address that is no rep, where the team keeps its reps here: nobody's load counts them, and routing cannot judge them.
SELECT
  'warning' AS severity,
  'sales_pipeline.assigned_to' AS subject,
  format('%s open deals belong to %s, who is no rep', count(*), p.assigned_to) AS detail,
  format('%s oportunidades abiertas son de %s, que no es representante', count(*), p.assigned_to) AS detail_es,
  format('sales-tasks reps add %s', p.assigned_to) AS fix
FROM sales_pipeline p
WHERE p.stage < 'closed_won' AND position('@' IN p.assigned_to) > 0
  AND EXISTS (SELECT FROM sales_reps)
  AND NOT EXISTS (SELECT FROM sales_reps r WHERE r.email = p.assigned_to)
GROUP BY p.assigned_to
ORDER BY count(*) DESC, p.assigned_to
LIMIT 20
