-- Carries the predictions just loaded over to their deals, the history and the leads' model scores. Only the key ml_predictions of metadata is
-- written, under the row's lock, so that edits of other keys stay; metadata that is no object is left alone. Plain rates score no lead: they say the
-- same of all of a stage.
WITH new AS MATERIALIZED (
  SELECT * FROM deal_predictions WHERE pipeline_id = ANY (@ids::bigint[])
), kept AS (
  INSERT INTO deal_prediction_history (
    pipeline_id, predicted_at, win_model, value_model, time_model, risk_model, answered_by, probability, probability_low, probability_high, risk, value,
    days_p10, days_p50, days_p90)
  SELECT
    pipeline_id, predicted_at, win_model, value_model, time_model, risk_model, answered_by, probability, probability_low, probability_high, risk, value,
    days_p10, days_p50, days_p90
  FROM new
), scored AS (
  INSERT INTO lead_model_scores AS m (lead_id, model_score, model_version, scored_at)
  SELECT l.lead_id, round(100 * n.probability)::smallint, coalesce('win:' || n.win_model, n.answered_by), n.predicted_at
  FROM new n
  JOIN sales_pipeline p ON p.id = n.pipeline_id
  JOIN leads l ON l.ext_id = p.lead_ext_id
  WHERE n.answered_by <> 'prior'
  ORDER BY l.lead_id
  ON CONFLICT (lead_id) DO UPDATE
  SET model_score = excluded.model_score, model_version = excluded.model_version, scored_at = excluded.scored_at, inputs_hash = NULL
  WHERE (m.model_score, m.model_version) IS DISTINCT FROM (excluded.model_score, excluded.model_version)
)
UPDATE sales_pipeline p
SET
  metadata = CASE WHEN jsonb_typeof(coalesce(p.metadata, '{}')) = 'object'
    THEN coalesce(p.metadata, '{}') || jsonb_build_object('ml_predictions', jsonb_build_object(
      'probability', round(n.probability::numeric, 4),
      'expected_value', round(n.expected_value::numeric, 2),
      'time_to_close_days', round(n.days_p50::numeric, 1),
      'risk_score', round(n.risk::numeric, 4),
      'recommendations', coalesce((SELECT jsonb_agg(r -> 0) FROM json_array_elements(n.recommendations) AS r), '[]'),
      'confidence', round(n.confidence::numeric, 2),
      'predicted_at', to_char(n.predicted_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"')))
    ELSE p.metadata END,
  probability_pct = coalesce(n.probability_pct, p.probability_pct),
  updated_at = greatest(p.updated_at, n.predicted_at)
FROM new n
WHERE p.id = n.pipeline_id
