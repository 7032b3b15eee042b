-- Holds all executions of a campaign, in the order in which jobs hold theirs, and counts them: all, and those under way.
SELECT count(*), count(*) FILTER (WHERE status IN ('active', 'paused'))
FROM (SELECT status FROM sales_campaign_executions WHERE campaign_id = @id ORDER BY id FOR UPDATE) AS held
