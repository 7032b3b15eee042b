-- Current alerts whose situation is over. They resolve by themselves; those that a person resolved before may open anew when it comes again.
WITH gone AS MATERIALIZED (
  SELECT a.id, a.status
  FROM alerts a
  WHERE a.ended_at IS NULL
    AND NOT EXISTS (SELECT FROM alert_situations s WHERE s.kind = a.kind AND s.situation_key = a.situation_key)
  ORDER BY a.id
  FOR NO KEY UPDATE
), ended AS (
  UPDATE alerts a
  SET status = 'resolved', ended_at = @as_of, resolved_at = coalesce(a.resolved_at, @as_of), snoozed_until = NULL, to_tell = false
  FROM gone
  WHERE a.id = gone.id
)
SELECT count(*) FILTER (WHERE status <> 'resolved') FROM gone
