-- What is there before samples are added: they never change what a team has made of its own.
SELECT
  (SELECT count(*) FROM sales_reps) AS reps,
  ARRAY(SELECT c.name::text FROM sales_campaigns c ORDER BY c.name) AS campaigns
