-- Open deals, at most @limit of them in an order that has to do with nothing.
SELECT p.id
FROM sales_pipeline AS p
WHERE p.stage < 'closed_won' AND p.qualified_at <= @as_of
ORDER BY md5(p.id::text), p.id
LIMIT @limit
