-- The lead stays under another id, so its values do not go with it.
DELETE FROM sealed_values t WHERE t.lead_id = ANY (@lead_ids::bigint[])
