-- Current alerts whose situation is still there: seen once more, quietly. News, told again: more severe than it has ever been, a snooze that
-- is over, a person's resolution that has not helped for @rest_days. Nothing new at the same instant writes nothing.
WITH seen AS MATERIALIZED (
  SELECT
    a.id, a.status AS before, s.severity, s.owner, s.weight, s.facts, s.severity > a.peak_severity AS escalated,
    s.severity > a.peak_severity OR (a.status = 'snoozed' AND a.snoozed_until <= @as_of)
      OR (a.status = 'resolved' AND s.enters AND a.resolved_at <= @as_of - @rest_days::int * interval '1 day') AS is_news
  FROM alerts a
  JOIN alert_situations s ON s.kind = a.kind AND s.situation_key = a.situation_key
  WHERE a.ended_at IS NULL
  ORDER BY a.id
  FOR NO KEY UPDATE OF a
), advanced AS (
  UPDATE alerts a
  SET severity = seen.severity, peak_severity = greatest(a.peak_severity, seen.severity), owner = seen.owner, weight = seen.weight, facts = seen.facts,
      last_seen_at = greatest(a.last_seen_at, @as_of), seen_count = a.seen_count + (a.last_seen_at < @as_of)::int,
      status = CASE WHEN seen.is_news THEN 'open' ELSE a.status END,
      to_tell = a.to_tell OR seen.is_news,
      snoozed_until = CASE WHEN NOT seen.is_news THEN a.snoozed_until END,
      resolved_at = CASE WHEN NOT seen.is_news THEN a.resolved_at END,
      resolved_by = CASE WHEN NOT seen.is_news THEN a.resolved_by END,
      returns = a.returns + (seen.is_news AND seen.before = 'resolved')::int
  FROM seen
  WHERE a.id = seen.id
    AND (seen.is_news OR a.last_seen_at < @as_of
      OR (a.severity, a.owner, a.weight, a.facts) IS DISTINCT FROM (seen.severity, seen.owner, seen.weight, seen.facts))
)
SELECT
  count(*) FILTER (WHERE escalated) AS escalated,
  count(*) FILTER (WHERE is_news AND NOT escalated AND before = 'snoozed') AS woken,
  count(*) FILTER (WHERE is_news AND NOT escalated AND before = 'resolved') AS reopened
FROM seen
