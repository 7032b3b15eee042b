-- All models, the newest first.
SELECT
  id, kind, status, algorithm, trained_at, training_deals, won, lost, metrics::text, reason, format, code_version, data_from, data_to, length(content),
  published_at, retired_at
FROM ml_models
ORDER BY id DESC
