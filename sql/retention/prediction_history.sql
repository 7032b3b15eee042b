-- A chunk of old predictions. By ctid: the table is append-only and has no key, and its index by time is a BRIN one.
WITH old AS (
  SELECT ctid FROM deal_prediction_history WHERE predicted_at < @before_at LIMIT @limit::bigint FOR UPDATE SKIP LOCKED
), gone AS (
  DELETE FROM deal_prediction_history h USING old WHERE h.ctid = old.ctid RETURNING 1
)
SELECT count(*) FROM gone
