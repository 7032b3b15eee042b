-- How many leads went through each campaign and what became of it.
SELECT
  c.id,
  count(e.id) FILTER (WHERE e.status = 'active'), count(e.id) FILTER (WHERE e.status = 'paused'),
  count(e.id) FILTER (WHERE e.status = 'completed'), count(e.id) FILTER (WHERE e.status = 'stopped'),
  count(e.id) FILTER (WHERE e.status = 'active' AND e.next_action_at <= @as_of)
FROM sales_campaigns c
LEFT JOIN sales_campaign_executions e ON e.campaign_id = c.id
WHERE @id::bigint IS NULL OR c.id = @id
GROUP BY c.id
ORDER BY c.id
