-- The open deals with the most expected money.
SELECT lead_ext_id, full_name, email, stage::text AS stage, estimated_value, probability_pct, expected_value, assigned_to, days_in_pipeline
FROM get_top_opportunities(@limit::int, 0)
