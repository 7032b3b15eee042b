-- Locks deals in the order of their ids, those that closed meanwhile left out, and tells whether their metadata lacks a prediction now.
SELECT p.id, coalesce(p.metadata -> 'ml_predictions', 'null') = 'null' AND jsonb_typeof(coalesce(p.metadata, '{}')) = 'object'
FROM sales_pipeline p
WHERE p.id = ANY (@ids::bigint[]) AND p.stage < 'closed_won'
ORDER BY p.id
FOR NO KEY UPDATE
