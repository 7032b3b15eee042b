-- One model by its number.
SELECT id, format, content, sha256, data_to, algorithm, features::text, metrics::text, kind FROM ml_models WHERE id = @id
