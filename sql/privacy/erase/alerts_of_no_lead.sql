-- Alerts that name the person without being about it.
UPDATE alerts t
SET facts = without_person(t.facts, @terms::text[]),
    situation_key = CASE WHEN t.situation_key ~* @strong THEN 'erased/' || t.id ELSE t.situation_key END
WHERE t.lead_ext_id IS NULL AND (t.facts::text ~* @strong OR t.situation_key ~* @strong)
