-- An alert for each situation that has none, the most severe first; about leads at most @limit. A lead deleted meanwhile gets none.
WITH fresh AS MATERIALIZED (
  SELECT s.*, row_number() OVER (PARTITION BY s.lead_ext_id IS NULL ORDER BY s.severity DESC, s.weight DESC, s.kind, s.situation_key) AS turn
  FROM alert_situations s
  WHERE s.enters
    AND NOT EXISTS (SELECT FROM alerts a WHERE a.kind = s.kind AND a.situation_key = s.situation_key AND a.ended_at IS NULL)
), chosen AS MATERIALIZED (
  SELECT * FROM fresh WHERE lead_ext_id IS NULL OR turn <= @limit
), alive AS MATERIALIZED (
  SELECT l.ext_id FROM leads l WHERE l.ext_id IN (SELECT c.lead_ext_id FROM chosen c) ORDER BY l.ext_id FOR KEY SHARE
), added AS (
  INSERT INTO alerts (kind, situation_key, severity, peak_severity, owner, lead_ext_id, weight, facts, opened_at, last_seen_at)
  SELECT c.kind, c.situation_key, c.severity, c.severity, c.owner, c.lead_ext_id, c.weight, c.facts, @as_of, @as_of
  FROM chosen c
  LEFT JOIN alive ON alive.ext_id = c.lead_ext_id
  WHERE c.lead_ext_id IS NULL OR alive.ext_id IS NOT NULL
  ORDER BY c.severity DESC, c.weight DESC, c.kind, c.situation_key
  ON CONFLICT (kind, situation_key) WHERE ended_at IS NULL DO NOTHING
  RETURNING kind, severity
)
SELECT
  (SELECT count(*) FROM added) AS opened,
  (SELECT count(*) FROM added WHERE severity = 'critical') AS critical,
  (SELECT count(*) FROM added WHERE severity = 'warning') AS warning,
  (SELECT count(*) FROM fresh) - (SELECT count(*) FROM chosen) AS left_for_next_run,
  (SELECT coalesce(jsonb_object_agg(kind, n), '{}') FROM (SELECT kind, count(*) AS n FROM added GROUP BY kind) AS k)::text AS by_kind
