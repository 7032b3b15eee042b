-- What was counted in the hours that the house's window allows.
SELECT c.segment, c.channel, c.weekday, c.hour, c.leads, c.answered
FROM timing_counts c
CROSS JOIN sending_policy s
WHERE c.weekday = ANY (s.window_days)
  AND make_interval(hours => c.hour + 1) > s.window_start - time '00:00' AND make_interval(hours => c.hour) < s.window_end - time '00:00'
ORDER BY c.channel, c.segment, c.weekday, c.hour
