-- Scores of leads without a deal; a lead that got one meanwhile has its deal's. A new hash alone makes no lead due for scoring.
WITH chosen AS MATERIALIZED (
  SELECT l.lead_id
  FROM leads l
  WHERE l.lead_id = ANY (@ids::bigint[]) AND NOT EXISTS (SELECT FROM sales_pipeline p WHERE p.lead_ext_id = l.ext_id)
  ORDER BY l.lead_id
  FOR KEY SHARE
)
INSERT INTO lead_model_scores AS m (lead_id, model_score, model_version, scored_at, inputs_hash)
SELECT x.lead_id, x.score, @version, @as_of, x.hash
FROM unnest(@ids::bigint[], @scores::smallint[], @hashes::bigint[]) AS x (lead_id, score, hash)
JOIN chosen c USING (lead_id)
ORDER BY x.lead_id
ON CONFLICT (lead_id) DO UPDATE
SET
  model_score = excluded.model_score, model_version = excluded.model_version, inputs_hash = excluded.inputs_hash,
  scored_at = CASE WHEN (m.model_score, m.model_version) IS DISTINCT FROM (excluded.model_score, excluded.model_version) THEN excluded.scored_at ELSE m.scored_at END
WHERE m.inputs_hash IS DISTINCT FROM excluded.inputs_hash
