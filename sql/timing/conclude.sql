-- What this analysis concluded. The lift stays as it was last measured where learned hours are not in use.
UPDATE timing_state SET
  state = @state, reason = @reason, week = date_trunc('week', @as_of::timestamptz AT TIME ZONE 'UTC')::date, analyzed_at = @as_of, analysis_days = @analysis_days,
  min_data_points = @min_data_points, attempts = @attempts, fallback_since = @fallback_at,
  treated_leads = CASE WHEN active THEN @treated_leads ELSE treated_leads END,
  treated_rate = CASE WHEN active THEN @treated_rate ELSE treated_rate END,
  control_leads = CASE WHEN active THEN @control_leads ELSE control_leads END,
  control_rate = CASE WHEN active THEN @control_rate ELSE control_rate END,
  difference = CASE WHEN active THEN @difference ELSE difference END,
  difference_low = CASE WHEN active THEN @difference_low ELSE difference_low END,
  difference_high = CASE WHEN active THEN @difference_high ELSE difference_high END,
  ratio = CASE WHEN active THEN @ratio ELSE ratio END,
  ratio_low = CASE WHEN active THEN @ratio_low ELSE ratio_low END,
  ratio_high = CASE WHEN active THEN @ratio_high ELSE ratio_high END
