-- Runs whose parameters or results name the person.
SELECT to_jsonb(t)::text FROM task_runs t
WHERE t.parameters::text ~* @strong OR t.result::text ~* @strong OR t.error ~* @strong
ORDER BY t.id
