-- Loads the truth about each lead.
COPY demo_truth (
  lead_ext_id, segment, best_weekday, best_hour, win_probability, current_win_probability, expected_days_to_close, current_days_to_close,
  rep_effect, welcome_arm, proposal_arm, interest, noise
) FROM STDIN (FORMAT BINARY)
