-- Reps with more open deals than they have capacity for; critical from half as many again. An open alert stays until they are below nine tenths.
-- title en: Overloaded reps
-- title es: Representantes sobrecargados
-- text en: {rep}: {deals} open deals, capacity {capacity}
-- text es: {rep}: {deals} oportunidades abiertas, capacidad {capacity}
INSERT INTO alert_situations (kind, situation_key, severity, enters, owner, weight, facts)
SELECT
  'overloaded_rep', r.email, CASE WHEN p.deals >= 1.5 * r.max_active_leads THEN 'critical' ELSE 'warning' END::alert_severity,
  p.deals > r.max_active_leads,
  r.email, p.deals / greatest(r.max_active_leads, 1)::numeric,
  jsonb_build_object('rep', r.email, 'deals', p.deals, 'capacity', r.max_active_leads)
FROM sales_reps r
JOIN (SELECT assigned_to, count(*) AS deals FROM sales_pipeline WHERE stage < 'closed_won' GROUP BY assigned_to) AS p ON p.assigned_to = r.email
WHERE r.active AND p.deals >= 0.9 * r.max_active_leads
