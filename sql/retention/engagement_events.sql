-- A chunk of events older than the retention. The counts per lead follow by trigger, so a score forgets what is forgotten here.
WITH old AS (
  SELECT id FROM lead_engagement_events WHERE occurred_at < @before_at ORDER BY lead_ext_id, id LIMIT @limit::bigint FOR UPDATE SKIP LOCKED
), gone AS (
  DELETE FROM lead_engagement_events e USING old WHERE e.id = old.id RETURNING e.id
)
SELECT count(*) FROM gone
