-- What learned hours gained, by week: answers of the leads that were contacted at learned hours against those of the random control.
SELECT
  to_char(week_start, 'IYYY-"W"IW') AS week, treated_leads, treated_rate, control_leads, control_rate, 'share'::text AS unit,
  difference, difference_low, difference_high, ratio, ratio_low, ratio_high
FROM timing_lift
WHERE week_start >= (@trend_at::timestamptz AT TIME ZONE 'UTC')::date AND week_start + 7 <= (@to_at::timestamptz AT TIME ZONE 'UTC')::date
ORDER BY week_start
