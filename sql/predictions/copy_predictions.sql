-- Loads predictions, in the transaction that removed the ones before.
COPY deal_predictions (
  pipeline_id, predicted_at, inputs_hash, parts, answered_by, win_model, value_model, time_model, risk_model, log_odds, base_log_odds, other_log_odds,
  contributions, probability, probability_low, probability_high, risk, confidence, value, value_low, value_high, expected_value, days_p10, days_p50, days_p90,
  recommendations, probability_pct
) FROM STDIN (FORMAT BINARY)
