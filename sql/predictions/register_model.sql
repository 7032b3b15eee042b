-- Keeps a trained model, published or refused.
INSERT INTO ml_models (
  kind, status, reason, algorithm, format, code_version, seed, content, sha256, features, metrics, data_from, data_to, training_rows, training_deals, won,
  lost, trained_at, published_at
)
VALUES (
  @kind, @status::text, @reason, @algorithm, @format, @code_version, @seed, @content, @sha256, @features::jsonb, @metrics::jsonb, @data_from, @data_to,
  @training_rows, @training_deals, @won, @lost, @as_of, CASE WHEN @status::text = 'published' THEN @as_of::timestamptz END
)
RETURNING id
