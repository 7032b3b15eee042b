-- Scanners follow every link of a message at once: clicks of a lead on three or more links within two seconds are a bot's. A link clicked
-- again within two seconds counts once; where the source tells no link, every click is its own. Looks at all stored clicks around the new
-- ones, so that the outcome does not depend on how events were split over files and batches. Window functions instead of a self-join: one
-- sort, whatever the number of clicks.
WITH clicks AS (
  SELECT
    e.id, e.lead_ext_id, e.occurred_at, e.is_bot, coalesce(e.metadata ->> 'url', e.id::text) AS link
  FROM lead_engagement_events e
  WHERE e.lead_ext_id = ANY (@leads::text[])
    AND e.event_type = 'click'
    AND e.occurred_at BETWEEN @first_click_at - interval '4 seconds' AND @last_click_at + interval '4 seconds'
), counted AS (
  SELECT
    c.*,
    coalesce(c.occurred_at - lag(c.occurred_at) OVER (PARTITION BY c.lead_ext_id, c.link ORDER BY c.occurred_at, c.id)
      > interval '2 seconds', true) AS first_on_link
  FROM clicks c
), windows AS (
  SELECT
    c.id, c.lead_ext_id, c.occurred_at, c.is_bot,
    count(*) FILTER (WHERE c.first_on_link) OVER (
      PARTITION BY c.lead_ext_id ORDER BY c.occurred_at RANGE BETWEEN CURRENT ROW AND interval '2 seconds' FOLLOWING) AS links
  FROM counted c
), bursts AS (
  SELECT
    w.id, w.is_bot,
    max(w.links) OVER (
      PARTITION BY w.lead_ext_id ORDER BY w.occurred_at RANGE BETWEEN interval '2 seconds' PRECEDING AND CURRENT ROW) AS links
  FROM windows w
)
UPDATE lead_engagement_events e
SET is_bot = true, bot_reason = 'three links within two seconds'
FROM bursts b
WHERE e.id = b.id AND b.links >= 3 AND NOT b.is_bot
