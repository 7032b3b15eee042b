-- The counts that scoring reads against the events they count. Large tables are sampled by pages.
SELECT
  'error' AS severity,
  'lead_engagement' AS subject,
  format('%s leads whose counts are not those of their events, for instance lead_id %s', count(*), min(g.lead_id)) AS detail,
  format('%s leads cuyas cuentas no son las de sus eventos, por ejemplo lead_id %s', count(*), min(g.lead_id)) AS detail_es,
  'WITH e AS (SELECT l.lead_id, count(*) FILTER (WHERE event_type = ''reply'' AND NOT is_bot) AS replies, '
    'count(*) FILTER (WHERE event_type = ''click'' AND NOT is_bot) AS clicks, count(*) FILTER (WHERE event_type = ''open'' AND NOT is_bot) AS opens, '
    'count(*) FILTER (WHERE is_bot) AS bots FROM lead_engagement_events v JOIN leads l ON l.ext_id = v.lead_ext_id GROUP BY l.lead_id), '
    'u AS (UPDATE lead_engagement g SET replies = e.replies, clicks = e.clicks, opens = e.opens, bot_events = e.bots FROM e '
    'WHERE e.lead_id = g.lead_id RETURNING g.lead_id) INSERT INTO lead_score_due (lead_id) SELECT lead_id FROM u' AS fix
FROM lead_engagement g TABLESAMPLE SYSTEM (least(100, 25.0 * @sample_pages::int / greatest(pg_relation_size('lead_engagement') / 8192, 1)))
JOIN leads l ON l.lead_id = g.lead_id
CROSS JOIN LATERAL (
  SELECT
    count(*) FILTER (WHERE v.event_type = 'reply' AND NOT v.is_bot) AS replies,
    count(*) FILTER (WHERE v.event_type = 'click' AND NOT v.is_bot) AS clicks,
    count(*) FILTER (WHERE v.event_type = 'open' AND NOT v.is_bot) AS opens,
    count(*) FILTER (WHERE v.is_bot) AS bots
  FROM lead_engagement_events v
  WHERE v.lead_ext_id = l.ext_id
) e
WHERE (g.replies, g.clicks, g.opens, g.bot_events) IS DISTINCT FROM (e.replies, e.clicks, e.opens, e.bots)
HAVING count(*) > 0
