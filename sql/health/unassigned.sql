-- Open deals without a rep 6 hours after qualification, two runs of routing. Degraded from one on, critical from a tenth of the open deals (and ten).
-- title en: Unassigned deals
-- title es: Oportunidades sin asignar
-- text en: {unassigned} of {open} open deals for more than 6 h
-- text es: {unassigned} de {open} abiertas desde hace más de 6 h
SELECT
  NULL::text AS subject,
  CASE WHEN p.unassigned >= 10 AND 10 * p.unassigned >= p.open THEN 'critical' WHEN p.unassigned > 0 THEN 'warning' END AS severity,
  '' AS variant,
  jsonb_build_object('unassigned', p.unassigned, 'open', p.open)::text AS facts
FROM (
  SELECT count(*) AS open, count(*) FILTER (WHERE assigned_to IS NULL AND qualified_at < sales_now() - interval '6 hours') AS unassigned
  FROM sales_pipeline
  WHERE stage < 'closed_won'
) AS p
