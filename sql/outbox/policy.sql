-- The house rules of sending.
SELECT
  array_to_string(window_days, ',') AS window_days, to_char(window_start, 'HH24:MI') AS window_start,
  to_char(window_end, 'HH24:MI') AS window_end, default_time_zone, max_per_lead_per_day, max_per_lead_per_week, updated_at, updated_by
FROM sending_policy
