-- What insert_events.sql would do, without doing it: takes the staged events whose lead is known, counts those that are not there yet.
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
)
SELECT
  (SELECT count(*) FROM taken) AS taken,
  count(*) AS inserted,
  count(*) FILTER (WHERE n.bot_reason IS NOT NULL) AS bots
FROM (
  SELECT DISTINCT ON (t.source, t.source_event_id) t.bot_reason
  FROM taken t
  WHERE NOT EXISTS (
    SELECT 1 FROM lead_engagement_events k WHERE k.source = t.source AND k.source_event_id = t.source_event_id)
  ORDER BY t.source, t.source_event_id, t.seq
) AS n
