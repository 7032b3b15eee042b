-- Open deals worth @high_value_threshold or more that nobody has contacted for @stale_lead_days (from qualification on, where nobody ever
-- did). Critical after twice that time. An open alert stays down to nine tenths of the value.
-- title en: High-value leads without follow-up
-- title es: Leads de alto valor sin seguimiento
-- text en: {lead}: worth {value}, no contact for {days} d, {rep}
-- text es: {lead}: valor {value}, sin contacto desde hace {days} d, {rep}
INSERT INTO alert_situations (kind, situation_key, severity, enters, owner, lead_ext_id, weight, facts)
SELECT
  'high_value_lead', p.id::text,
  CASE WHEN q.since <= @as_of - 2 * @stale_lead_days::int * interval '1 day' THEN 'critical' ELSE 'warning' END::alert_severity,
  p.estimated_value >= @high_value_threshold::numeric,
  p.assigned_to, p.lead_ext_id, p.estimated_value,
  jsonb_build_object(
    'lead', p.lead_ext_id, 'value', p.estimated_value, 'days', floor(extract(epoch FROM @as_of - q.since) / 86400), 'stage', p.stage, 'rep', p.assigned_to)
FROM sales_pipeline p
CROSS JOIN LATERAL (SELECT coalesce(p.last_contact_at, p.first_contact_at, p.qualified_at) AS since) AS q
WHERE p.stage < 'closed_won' AND p.estimated_value >= 0.9 * @high_value_threshold::numeric
  AND q.since <= @as_of - @stale_lead_days::int * interval '1 day'
