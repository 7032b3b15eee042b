-- Holds the reps a chunk gives leads to, in the order of their addresses, until its end: two runs never count the same free place. Plain
-- changes of a rep (away, not active any more) wait as long, and are seen if they came first.
SELECT email FROM sales_reps WHERE email = ANY (@reps) ORDER BY email FOR NO KEY UPDATE
