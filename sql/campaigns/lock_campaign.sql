-- Makes enrolments into one campaign take turns, and keeps it from being disabled until they are committed.
SELECT enabled FROM sales_campaigns WHERE id = @id FOR NO KEY UPDATE
