-- Takes the staged events from @first to @last whose lead is known (by its id, another name of it, else the e-mail address) and inserts
-- those that are not there yet; a source's event counts once, whatever it is delivered with.
WITH found AS MATERIALIZED (
  SELECT e.ctid AS row_ctid, coalesce(l.ext_id, a.ext_id, m.ext_id) AS ext_id
  FROM lead_import_events e
  LEFT JOIN leads l ON l.ext_id = e.lead_ext_id
  LEFT JOIN lead_aliases a ON a.alias_ext_id = e.lead_ext_id
  LEFT JOIN LATERAL (
    SELECT k.ext_id
    FROM leads k
    WHERE lower(k.email) = lower(e.email) AND k.email IS NOT NULL
    ORDER BY k.lead_id + 0
    LIMIT 1
  ) AS m ON l.ext_id IS NULL AND a.ext_id IS NULL
  WHERE e.import_id = @import_id AND e.seq BETWEEN @first AND @last
), taken AS (
  DELETE FROM lead_import_events e
  USING found f
  WHERE e.ctid = f.row_ctid AND f.ext_id IS NOT NULL
  RETURNING e.*, f.ext_id
), inserted AS (
  INSERT INTO lead_engagement_events (
    lead_ext_id, event_type, occurred_at, source, source_event_id, is_bot, bot_reason, metadata)
  SELECT t.ext_id, t.event_type, t.occurred_at, t.source, t.source_event_id, t.bot_reason IS NOT NULL, t.bot_reason, t.metadata::jsonb
  FROM taken t
  ORDER BY t.seq
  ON CONFLICT (source, source_event_id) DO NOTHING
  RETURNING lead_ext_id, event_type, occurred_at, is_bot
)
SELECT
  (SELECT count(*) FROM taken) AS taken,
  count(*) AS inserted,
  count(*) FILTER (WHERE is_bot) AS bots,
  array_agg(DISTINCT lead_ext_id::text) FILTER (WHERE event_type = 'click') AS clicking_leads,
  min(occurred_at) FILTER (WHERE event_type = 'click') AS first_click_at,
  max(occurred_at) FILTER (WHERE event_type = 'click') AS last_click_at
FROM inserted
