-- Whether no table that the sample fills has a row.
SELECT NOT EXISTS (SELECT FROM leads)
  AND NOT EXISTS (SELECT FROM sales_reps)
  AND NOT EXISTS (SELECT FROM sales_campaigns)
