-- Starts an experiment; no row where one is running already.
INSERT INTO experiments (name, share_permille, horizon_days, started_at, started_by)
VALUES (@name, @share, @horizon, @as_of, @actor)
ON CONFLICT ((true)) WHERE ended_at IS NULL DO NOTHING
RETURNING id
