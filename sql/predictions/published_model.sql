-- The model of a kind that predicts.
SELECT id, format, content, sha256, data_to, algorithm, features::text, metrics::text
FROM ml_models
WHERE kind = @kind AND status = 'published'
