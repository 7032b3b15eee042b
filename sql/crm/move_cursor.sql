-- A page is staged: the next one is to come, or (@done) the window is read. Not where another run moved it meanwhile.
UPDATE crm_cursors
SET page = @next, window_from = CASE WHEN @done::boolean THEN window_to ELSE window_from END, window_to = CASE WHEN @done::boolean THEN NULL ELSE window_to END,
    updated_at = clock_timestamp()
WHERE crm = @crm AND object = @object AND feed = @feed AND window_to = @to_at AND page IS NOT DISTINCT FROM @page::text
