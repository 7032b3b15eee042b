-- The hours in which leads may be written to or called.
SELECT window_days, window_start, window_end FROM sending_policy
