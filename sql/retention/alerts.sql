-- A chunk of alerts whose situations ended before the retention.
WITH old AS (
  SELECT id FROM alerts WHERE ended_at < @before_at ORDER BY id LIMIT @limit::bigint FOR UPDATE SKIP LOCKED
), gone AS (
  DELETE FROM alerts a USING old WHERE a.id = old.id RETURNING a.id
)
SELECT count(*) FROM gone
