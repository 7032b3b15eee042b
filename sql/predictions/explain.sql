-- What is predicted of a lead: of its deal, or, where it has none, how a deal would begin. Null for a lead of which nothing is predicted.
SELECT coalesce(
  (SELECT jsonb_build_object(
      'predicted_at', d.predicted_at, 'open', p.stage < 'closed_won', 'answered_by', d.answered_by, 'win_model', d.win_model, 'value_model', d.value_model,
      'time_model', d.time_model, 'risk_model', d.risk_model, 'probability', d.probability, 'probability_low', d.probability_low,
      'probability_high', d.probability_high, 'confidence', d.confidence, 'log_odds', d.log_odds, 'base_log_odds', d.base_log_odds,
      'contributions', d.contributions::jsonb, 'other_log_odds', d.other_log_odds, 'risk', d.risk, 'value', d.value, 'value_low', d.value_low,
      'value_high', d.value_high, 'own_value', p.estimated_value, 'expected_value', d.expected_value, 'days_p10', d.days_p10, 'days_p50', d.days_p50,
      'days_p90', d.days_p90, 'recommendations', d.recommendations::jsonb, 'probability_pct', p.probability_pct)
    FROM sales_pipeline p
    JOIN deal_predictions d ON d.pipeline_id = p.id
    WHERE p.lead_ext_id = @lead),
  (SELECT jsonb_build_object(
      'predicted_at', m.scored_at, 'open', false, 'answered_by', 'lead', 'version', m.model_version, 'probability', m.model_score / 100.0)
    FROM leads l
    JOIN lead_model_scores m ON m.lead_id = l.lead_id
    WHERE l.ext_id = @lead AND NOT EXISTS (SELECT FROM sales_pipeline p WHERE p.lead_ext_id = l.ext_id)))::text
