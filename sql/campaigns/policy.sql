-- The hours in which leads may be written to or called. 24:00, which PostgreSQL knows and .NET does not, is the last microsecond of the day.
SELECT window_days, window_start, least(window_end, time '23:59:59.999999') FROM sending_policy
