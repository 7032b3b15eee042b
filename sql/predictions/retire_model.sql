-- Makes room for a better one.
UPDATE ml_models SET status = 'retired', retired_at = @as_of WHERE kind = 'win_probability' AND status = 'published'
