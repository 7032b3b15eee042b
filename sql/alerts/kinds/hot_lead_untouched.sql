-- Speed to lead: fresh deals with a score of @hot_lead_score or more that nobody has contacted @hot_lead_hours after qualification. Critical after a
-- day. Once they are @stale_lead_days old the other kinds tell about them. An open alert stays down to five points below.
-- title en: Hot leads nobody has contacted
-- title es: Leads calientes sin primer contacto
-- text en: {lead}: score {score}, waiting for {hours} h, {rep}
-- text es: {lead}: puntuación {score}, espera desde hace {hours} h, {rep}
INSERT INTO alert_situations (kind, situation_key, severity, enters, owner, lead_ext_id, weight, facts)
SELECT
  'hot_lead_untouched', p.id::text,
  CASE WHEN p.qualified_at <= @as_of - greatest(interval '24 hours', @hot_lead_hours::int * interval '1 hour') THEN 'critical' ELSE 'warning' END::alert_severity,
  p.score >= @hot_lead_score::int,
  p.assigned_to, p.lead_ext_id, p.score,
  jsonb_build_object(
    'lead', p.lead_ext_id, 'score', p.score, 'hours', floor(extract(epoch FROM @as_of - p.qualified_at) / 3600), 'value', p.estimated_value,
    'rep', p.assigned_to)
FROM sales_pipeline p
WHERE p.stage = 'qualified' AND p.score >= @hot_lead_score::int - 5 AND p.first_contact_at IS NULL AND p.last_contact_at IS NULL
  AND p.qualified_at <= @as_of - @hot_lead_hours::int * interval '1 hour' AND p.qualified_at > @as_of - @stale_lead_days::int * interval '1 day'
