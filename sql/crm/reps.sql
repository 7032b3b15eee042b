-- Whom a deal may be given to.
SELECT email FROM sales_reps
