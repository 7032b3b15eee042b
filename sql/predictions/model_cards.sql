-- What a model card shows: one model, or all that are published.
SELECT
  id, kind, status, algorithm, trained_at, training_rows, training_deals, won, lost, features::text, metrics::text, reason, format, code_version, seed, data_from,
  data_to, encode(sha256, 'hex'), published_at, retired_at
FROM ml_models
WHERE CASE WHEN @id::bigint IS NULL THEN status = 'published' ELSE id = @id::bigint END
ORDER BY id
