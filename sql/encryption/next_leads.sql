-- The next leads whose phone is sealed (@sealed) or is not. Goes along the index of lead_id and reads every lead once: 0.5 s for a million, which
-- is cheaper than an index that every database without encryption would pay for.
SELECT l.lead_id
FROM leads l
WHERE l.lead_id > @after AND l.phone <> '' AND (left(l.phone, 7) = 'sealed-') = @sealed
ORDER BY l.lead_id
LIMIT @limit
