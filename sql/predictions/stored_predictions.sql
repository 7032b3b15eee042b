-- What is stored of these deals under their locks.
SELECT pipeline_id, inputs_hash, parts, value, value_low, value_high, expected_value, days_p10, days_p50, days_p90, value_model, time_model
FROM deal_predictions
WHERE pipeline_id = ANY (@ids::bigint[])
