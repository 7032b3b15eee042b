-- Open deals whose address is none: nothing can be sent to them.
SELECT
  'warning' AS severity,
  'sales_pipeline.email' AS subject,
  format('%s open deals have no valid e-mail address, for instance id %s', count(*), min(p.id)) AS detail,
  format('%s oportunidades abiertas no tienen un correo válido, por ejemplo id %s', count(*), min(p.id)) AS detail_es,
  'SELECT id, lead_ext_id, email FROM sales_pipeline WHERE stage < ''closed_won'' '
    'AND email !~ ''^[^@[:space:]]+@[^@[:space:]]+[.][^@.[:space:]]{2,}$''' AS fix
FROM sales_pipeline p
WHERE p.stage < 'closed_won' AND p.email !~ '^[^@[:space:]]+@[^@[:space:]]+[.][^@.[:space:]]{2,}$'
HAVING count(*) > 0
