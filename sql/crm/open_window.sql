-- Begins to read a window, unless another run has.
INSERT INTO crm_cursors AS c (crm, object, feed, window_from, window_to)
VALUES (@crm, @object, @feed, @from_at, @to_at)
ON CONFLICT (crm, object, feed) DO UPDATE
SET window_to = excluded.window_to, page = NULL, updated_at = clock_timestamp()
WHERE c.window_to IS NULL
