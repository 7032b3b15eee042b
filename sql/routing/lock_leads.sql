-- Holds the deals of a chunk, in the order of their ids. A deal that another session is changing is waited for, and judged as it left it.
-- FOR UPDATE, and not the weaker kind, because it also waits for those who add a task to the deal (a foreign key holds the deal by KEY SHARE).
SELECT id FROM sales_pipeline WHERE id = ANY (@ids) ORDER BY id FOR UPDATE
