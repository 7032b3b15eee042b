-- A run as it was noted; @run null: the latest one.
SELECT
  id, as_of, settings::text, seed, products, regions, team_win_rate, finished_at IS NOT NULL AS finished, thinned_at IS NOT NULL AS thinned, expected_gain
FROM routing_runs
WHERE id = @run::bigint OR @run::bigint IS NULL
ORDER BY id DESC
LIMIT 1
