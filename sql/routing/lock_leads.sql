-- Holds the deals of a chunk, in the order of their ids. A deal that another session is changing is waited for, and judged as it left it.
SELECT id FROM sales_pipeline WHERE id = ANY (@ids) ORDER BY id FOR NO KEY UPDATE
