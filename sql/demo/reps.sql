-- The sample's representatives: the CRM's owners.
SELECT email FROM sales_reps ORDER BY email
