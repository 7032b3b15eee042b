-- What a model says of a person.
DELETE FROM lead_model_scores t WHERE t.lead_id = ANY (@lead_ids::bigint[])
