-- Writes down what was decided; a decision taken again after a crash is there already.
INSERT INTO crm_conflicts (link_id, lead_ext_id, field, version, base_value, our_value, their_value, winner, reason, run_id)
SELECT k.id, k.lead_ext_id, i.field, i.version, i.base_value, i.our_value, i.their_value, i.winner, i.reason, @run_id
FROM jsonb_to_recordset(@items::jsonb) AS i (
  link_id bigint, field text, version int, base_value text, our_value text, their_value text, winner text, reason text)
JOIN crm_links k ON k.id = i.link_id
ON CONFLICT (link_id, version, field) DO NOTHING
