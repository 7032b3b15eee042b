-- The next deals with a phone or notes that are sealed (@sealed) or are not; notes that were added to behind a token are not.
SELECT p.id
FROM sales_pipeline p
WHERE p.id > @after
  AND ((p.phone <> '' AND (left(p.phone, 7) = 'sealed-') = @sealed)
    OR (p.notes <> '' AND CASE WHEN @sealed THEN p.notes ~ 'sealed-[a-p]{16}' ELSE p.notes !~ '^sealed-[a-p]{32}$' END))
ORDER BY p.id
LIMIT @limit
