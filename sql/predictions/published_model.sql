-- The model that predicts.
SELECT id, format, content, sha256, data_to, algorithm, features::text, metrics::text
FROM ml_models
WHERE kind = 'win_probability' AND status = 'published'
