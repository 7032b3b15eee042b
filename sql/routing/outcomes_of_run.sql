-- What became of the leads of a run as far as it came: by outcome and reason, and for those it gave away who got them and who had them.
SELECT
  d.outcome::text, d.reason::text, chosen.email AS given_to, CASE WHEN d.outcome = 'reassigned' THEN owner.email END AS taken_from, count(*) AS leads
FROM routing_decisions d
LEFT JOIN routing_run_reps chosen ON chosen.run_id = d.run_id AND chosen.rep = d.chosen AND d.outcome IN ('assigned', 'reassigned')
LEFT JOIN routing_run_reps owner ON owner.run_id = d.run_id AND owner.rep = d.owner
WHERE d.run_id = @run_id
GROUP BY 1, 2, 3, 4
ORDER BY 1, 2, 3, 4
