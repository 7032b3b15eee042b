-- What the latest run of routing knew about a rep: closed deals, and how many times the team's odds of winning the rep has, overall and where it
-- differs by product and region.
SELECT jsonb_build_object(
  'run_id', r.run_id,
  'deals', r.deals,
  'won', r.won,
  'team_win_rate', round(u.team_win_rate::numeric, 4),
  'odds', round(exp(r.skill)::numeric, 3),
  'products', (
    SELECT coalesce(jsonb_object_agg(u.products[i], round(exp(r.product_skills[i])::numeric, 3)), '{}')
    FROM generate_subscripts(r.product_skills, 1) AS i WHERE abs(r.product_skills[i]) >= 0.01 AND u.products[i] <> ''),
  'regions', (
    SELECT coalesce(jsonb_object_agg(u.regions[i], round(exp(r.region_skills[i])::numeric, 3)), '{}')
    FROM generate_subscripts(r.region_skills, 1) AS i WHERE abs(r.region_skills[i]) >= 0.01 AND u.regions[i] <> ''))::text
FROM routing_run_reps r
JOIN routing_runs u ON u.id = r.run_id
WHERE r.email = @rep::text AND r.run_id = (SELECT max(id) FROM routing_runs)
