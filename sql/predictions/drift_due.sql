-- Published models whose drift was not measured on the day of @as_of yet.
SELECT m.id, m.kind, m.metrics::text
FROM ml_models AS m
WHERE m.status = 'published'
  AND NOT EXISTS (SELECT FROM ml_drift AS d WHERE d.model_id = m.id AND d.day = (@as_of::timestamptz AT TIME ZONE 'UTC')::date)
ORDER BY m.id
