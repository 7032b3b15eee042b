-- Open deals that nobody has contacted for @stale_lead_days and that high_value_lead does not tell about already. A warning after three times
-- that time. Silence only grows until somebody gets in touch, so there is nothing to flap.
-- title en: Leads gone quiet
-- title es: Leads abandonados
-- text en: {lead}: no contact for {days} d, {stage}, {rep}
-- text es: {lead}: sin contacto desde hace {days} d, {rep}
INSERT INTO alert_situations (kind, situation_key, severity, owner, lead_ext_id, weight, facts)
SELECT
  'stale_lead', p.id::text,
  CASE WHEN q.since <= @as_of - 3 * @stale_lead_days::int * interval '1 day' THEN 'warning' ELSE 'info' END::alert_severity,
  p.assigned_to, p.lead_ext_id, coalesce(p.estimated_value, 0),
  jsonb_build_object(
    'lead', p.lead_ext_id, 'value', p.estimated_value, 'days', floor(extract(epoch FROM @as_of - q.since) / 86400), 'stage', p.stage, 'rep', p.assigned_to)
FROM sales_pipeline p
CROSS JOIN LATERAL (SELECT coalesce(p.last_contact_at, p.first_contact_at, p.qualified_at) AS since) AS q
WHERE p.stage < 'closed_won' AND coalesce(p.estimated_value, 0) < @high_value_threshold::numeric
  AND q.since <= @as_of - @stale_lead_days::int * interval '1 day'
  AND NOT (p.estimated_value >= 0.9 * @high_value_threshold::numeric AND EXISTS (
    SELECT FROM alerts a WHERE a.kind = 'high_value_lead' AND a.situation_key = p.id::text AND a.ended_at IS NULL))
