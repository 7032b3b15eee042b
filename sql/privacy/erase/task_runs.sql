-- Parameters and results hold no person; where somebody put one there all the same, it is taken out. Every run is looked at.
UPDATE task_runs t
SET parameters = without_person(t.parameters, @terms::text[]), result = without_person(t.result, @terms::text[]),
    error = without_person(t.error, @terms::text[])
WHERE t.parameters::text ~* @strong OR t.result::text ~* @strong OR t.error ~* @strong
