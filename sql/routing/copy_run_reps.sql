-- Loads the reps as a run saw them.
COPY routing_run_reps (
  run_id, rep, email, active, absent, capacity, minimum, load, overdue_tasks, weight, specialisations, languages, regions, deals, won, skill,
  product_skills, region_skills, planned, price
) FROM STDIN (FORMAT BINARY)
