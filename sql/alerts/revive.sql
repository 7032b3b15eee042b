-- A situation that comes back within @quiet_hours after it ended by itself flickers: its alert goes on, and is told again only where it is more
-- severe than ever or nobody has been told. What a person had resolved opens anew.
WITH back AS MATERIALIZED (
  SELECT last.id, s.severity, s.owner, s.weight, s.facts, s.severity > last.peak_severity OR last.told_at IS NULL AS is_news
  FROM alert_situations s
  CROSS JOIN LATERAL (
    SELECT a.id, a.peak_severity, a.told_at, a.resolved_by
    FROM alerts a
    WHERE a.kind = s.kind AND a.situation_key = s.situation_key AND a.ended_at > @as_of - @quiet_hours::int * interval '1 hour'
    ORDER BY a.ended_at DESC, a.id DESC
    LIMIT 1
  ) AS last
  WHERE s.enters AND last.resolved_by IS NULL
    AND NOT EXISTS (SELECT FROM alerts a WHERE a.kind = s.kind AND a.situation_key = s.situation_key AND a.ended_at IS NULL)
), locked AS MATERIALIZED (
  SELECT a.id FROM alerts a WHERE a.id IN (SELECT id FROM back) ORDER BY a.id FOR NO KEY UPDATE
), revived AS (
  UPDATE alerts a
  SET status = CASE WHEN a.acknowledged_at IS NOT NULL AND NOT back.is_news THEN 'acknowledged' ELSE 'open' END,
      severity = back.severity, peak_severity = greatest(a.peak_severity, back.severity), owner = back.owner, weight = back.weight,
      facts = back.facts, last_seen_at = greatest(a.last_seen_at, @as_of), seen_count = a.seen_count + (a.last_seen_at < @as_of)::int,
      returns = a.returns + 1, to_tell = back.is_news, resolved_at = NULL, ended_at = NULL
  FROM back JOIN locked USING (id)
  WHERE a.id = back.id
  RETURNING 1
)
SELECT count(*) FROM revived
