-- closed_at goes with the stage: set in closed_won and closed_lost, and only there.
SELECT
  'error' AS severity,
  'sales_pipeline' AS subject,
  format('%s deals whose closed_at contradicts their stage, for instance id %s', count(*), min(p.id)) AS detail,
  format('%s oportunidades cuyo closed_at contradice su etapa, por ejemplo id %s', count(*), min(p.id)) AS detail_es,
  'UPDATE sales_pipeline SET closed_at = CASE WHEN stage >= ''closed_won'' THEN coalesce(closed_at, updated_at) END '
    'WHERE (closed_at IS NOT NULL) <> (stage >= ''closed_won'')' AS fix
FROM sales_pipeline p
WHERE (p.closed_at IS NOT NULL) <> (p.stage >= 'closed_won')
HAVING count(*) > 0
