-- How many leads this run, in this or an earlier try, has taken into the campaign, and into all campaigns.
SELECT coalesce(sum(enrolled) FILTER (WHERE campaign_id = @id), 0)::bigint, coalesce(sum(enrolled), 0)::bigint
FROM campaign_enrollment_runs
WHERE run_key = @run_key
