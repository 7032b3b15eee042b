-- Notes what a run decides from, and how good its plan is, before the plan is written.
INSERT INTO routing_runs (run_key, as_of, settings, seed, products, regions, typical_value, team_win_rate, leads, left_for_later,
  expected_gain, expected_gain_of_greedy, optimality_gap, planned_at)
VALUES (@run_key, @as_of, @settings::jsonb, @seed, @products, @regions, @typical_value, @team_win_rate, @leads, @left_for_later,
  @expected_gain, @expected_gain_of_greedy, @optimality_gap, clock_timestamp())
RETURNING id
