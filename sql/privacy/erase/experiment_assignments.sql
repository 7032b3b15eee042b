-- The arm and what was known at assignment stay: the outcome of an experiment is told from them.
UPDATE experiment_assignments t SET source = left(without_person(t.source, @terms::text[]), 32)
WHERE t.lead_ext_id = ANY (@leads::text[]) AND t.source ~* @strong
