-- The group of an experiment.
SELECT to_jsonb(t)::text FROM experiment_assignments t WHERE t.lead_ext_id = ANY (@leads::text[]) ORDER BY t.assigned_at
