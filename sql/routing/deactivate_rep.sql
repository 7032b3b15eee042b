-- A rep gets no more leads; the open deals go to others with the next run. No row: there is no such rep.
WITH rep AS (
  UPDATE sales_reps SET active = false WHERE email = lower(btrim(@rep::text)) RETURNING email
)
SELECT rep.email, (SELECT count(*) FROM sales_pipeline p WHERE p.assigned_to = rep.email AND p.stage < 'closed_won') FROM rep
