-- Alerts that name the person without being about it.
SELECT to_jsonb(t)::text FROM alerts t WHERE t.lead_ext_id IS NULL AND (t.facts::text ~* @strong OR t.situation_key ~* @strong) ORDER BY t.id
