-- A rep's absences, the latest first.
SELECT id, starts_at, ends_at, reason FROM sales_rep_absences WHERE rep_email = @rep::text ORDER BY starts_at DESC, id DESC LIMIT 50
