-- What won deals brought. The latest value is right as an outcome; as a fact known before it would not be.
SELECT id, estimated_value::double precision
FROM sales_pipeline
WHERE stage = 'closed_won' AND closed_at <= @as_of AND estimated_value IS NOT NULL
