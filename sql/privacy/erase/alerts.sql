-- That there was a situation, and what people did about it, is what usefulness is measured by. Its facts lose the person; it is over.
UPDATE alerts t
SET facts = without_person(
      CASE WHEN t.facts ->> 'lead' = n.ext_id THEN t.facts || jsonb_build_object('lead', n.new_id) ELSE t.facts END, @terms::text[]),
    situation_key = CASE WHEN t.situation_key ~* @strong THEN 'erased/' || t.id ELSE t.situation_key END,
    status = 'resolved', resolved_at = coalesce(t.resolved_at, sales_now()), ended_at = coalesce(t.ended_at, sales_now()), snoozed_until = NULL,
    to_tell = false
FROM unnest(@leads::text[], @new_ids::text[]) AS n (ext_id, new_id)
WHERE t.lead_ext_id = n.ext_id
