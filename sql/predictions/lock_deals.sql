-- Locks deals in the order of their ids, those that closed meanwhile left out, and tells what they are predicted to be by now: another run may have
-- been faster.
SELECT p.id
FROM sales_pipeline p
WHERE p.id = ANY (@ids::bigint[]) AND p.stage < 'closed_won'
ORDER BY p.id
FOR NO KEY UPDATE
