-- What both arms reached in one week.
INSERT INTO timing_lift (
  week_start, treated_leads, treated_rate, control_leads, control_rate, difference, difference_low, difference_high, ratio, ratio_low, ratio_high)
VALUES (
  @week::date, @treated_leads, @treated_rate, @control_leads, @control_rate, @difference, @difference_low, @difference_high, @ratio, @ratio_low, @ratio_high)
ON CONFLICT (week_start) DO UPDATE SET
  treated_leads = excluded.treated_leads, treated_rate = excluded.treated_rate, control_leads = excluded.control_leads, control_rate = excluded.control_rate,
  difference = excluded.difference, difference_low = excluded.difference_low, difference_high = excluded.difference_high, ratio = excluded.ratio,
  ratio_low = excluded.ratio_low, ratio_high = excluded.ratio_high
