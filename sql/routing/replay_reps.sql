-- The reps as a run saw them, in their order.
SELECT
  email, active, absent, capacity, minimum, weight, load, overdue_tasks, specialisations, languages, regions, deals, won, skill, product_skills,
  region_skills
FROM routing_run_reps
WHERE run_id = @run_id
ORDER BY rep
