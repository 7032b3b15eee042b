-- Leads without a deal that is open or was won, of whom nothing was heard and with whom nothing was done since.
SELECT count(*)
FROM leads l
WHERE greatest(l.created_at, l.updated_at) < @before_at
  AND NOT EXISTS (SELECT FROM sales_pipeline p WHERE p.lead_ext_id = l.ext_id AND (p.stage <> 'closed_lost' OR p.updated_at >= @before_at))
  AND NOT EXISTS (SELECT FROM lead_engagement_events e WHERE e.lead_ext_id = l.ext_id AND e.occurred_at >= @before_at)
