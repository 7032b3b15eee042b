-- Makes room for a better one of the kind.
UPDATE ml_models SET status = 'retired', retired_at = @as_of WHERE kind = @kind AND status = 'published'
