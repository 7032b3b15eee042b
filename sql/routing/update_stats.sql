-- Brings the statistics of the reps up to date who got or gave leads, in the order in which chunks lock reps.
SELECT count(*)
FROM (SELECT email FROM unnest(@reps::text[]) AS touched (email) ORDER BY email) AS rep
CROSS JOIN LATERAL update_rep_stats(rep.email) AS stats
