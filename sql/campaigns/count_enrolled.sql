-- Adds to what this run has taken into the campaign; another run's count is forgotten.
INSERT INTO campaign_enrollment_runs AS r (campaign_id, run_key, enrolled)
VALUES (@id, @run_key, @enrolled)
ON CONFLICT (campaign_id) DO UPDATE
SET run_key = excluded.run_key, enrolled = CASE WHEN r.run_key = excluded.run_key THEN r.enrolled ELSE 0 END + excluded.enrolled
