-- From now on changes are listed. @in_use: false keeps a database that is only imported into from listing its own changes.
INSERT INTO crm_states AS s (crm, used_at, scores_read_to)
VALUES (@crm, CASE WHEN @in_use::boolean THEN now() ELSE timestamptz 'epoch' END, @as_of)
ON CONFLICT (crm) DO UPDATE SET used_at = CASE WHEN @in_use::boolean THEN now() ELSE s.used_at END
