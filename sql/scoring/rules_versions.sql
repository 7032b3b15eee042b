-- All versions, newest first.
SELECT version, active, comment, created_by, created_at FROM scoring_rules ORDER BY version DESC
