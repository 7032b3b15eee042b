-- After how many days what is removed.
SELECT subject, keep_days, updated_at, updated_by FROM retention_rules ORDER BY subject
