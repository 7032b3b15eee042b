-- Why executions of a campaign are stopped or paused.
SELECT coalesce(metadata ->> 'stop_reason', 'by hand'), count(*)
FROM sales_campaign_executions
WHERE campaign_id = @id AND status IN ('stopped', 'paused')
GROUP BY 1
ORDER BY 2 DESC, 1
