-- Lets the open deals that were held out be looked at by the next run of follow-up. Campaigns find theirs by themselves.
INSERT INTO followup_checks (pipeline_id)
SELECT p.id
FROM experiment_assignments a
JOIN sales_pipeline p ON p.lead_ext_id = a.lead_ext_id
WHERE a.experiment_id = @id AND a.arm = 'holdout' AND p.stage < 'closed_won'
