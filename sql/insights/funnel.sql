-- The deals qualified in the last 90 days, stage by stage.
SELECT stage::text AS stage, total_leads, reached_leads, conversion_rate_pct, avg_days_in_stage, total_value FROM v_conversion_funnel ORDER BY v_conversion_funnel.stage
