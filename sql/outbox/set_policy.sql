-- Changes what is given; null leaves a rule as it is.
UPDATE sending_policy
SET window_days = coalesce(@window_days::int[], window_days),
    window_start = coalesce(@window_start::time, window_start),
    window_end = coalesce(@window_end::time, window_end),
    default_time_zone = coalesce(@default_time_zone::text, default_time_zone),
    max_per_lead_per_day = coalesce(@max_per_lead_per_day::int, max_per_lead_per_day),
    max_per_lead_per_week = coalesce(@max_per_lead_per_week::int, max_per_lead_per_week),
    updated_at = sales_now(),
    updated_by = @actor
