-- Stops the executions that each lead replied to, or replied during: those that began before the reply. A reply written down by another
-- tool as a campaign event counts like one from a mailbox. IS NOT TRUE: looked up by id, not through the index of all replies.
SELECT stop_campaigns(array_agg(r.lead_ext_id ORDER BY r.lead_ext_id), array_agg(r.replied_at ORDER BY r.lead_ext_id), 'reply')
FROM (
  SELECT g.lead_ext_id, max(g.occurred_at) AS replied_at
  FROM (
    SELECT lead_ext_id, occurred_at FROM lead_engagement_events WHERE id = ANY (@replies) AND event_type = 'reply' AND is_bot IS NOT TRUE
    UNION ALL
    SELECT lead_ext_id, coalesce(executed_at, created_at) FROM sales_campaign_events
    WHERE id = ANY (@events) AND event_type = 'email_replied' AND status IN ('sent', 'delivered', 'completed')
  ) AS g
  GROUP BY g.lead_ext_id
) AS r
