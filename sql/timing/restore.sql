-- Takes back what was moved and is still to come, where it still is what timing set: to the plain time, or now where that is past. Then nothing
-- that timing set is remembered. Rows are taken in the order of their ids.
WITH tasks AS MATERIALIZED (
  SELECT t.id, v.plain_at, v.moved_to
  FROM timing_moves v
  JOIN sales_followup_tasks t ON t.id = v.id
  WHERE v.kind = 'task' AND v.moved_to > @as_of AND t.status = 'pending' AND t.due_date = v.moved_to
  ORDER BY t.id
  FOR NO KEY UPDATE OF t
), tasks_back AS (
  UPDATE sales_followup_tasks t SET due_date = greatest(b.plain_at, @as_of), updated_at = @as_of FROM tasks b WHERE t.id = b.id RETURNING t.id
), followups AS MATERIALIZED (
  SELECT p.id, v.plain_at
  FROM timing_moves v
  JOIN sales_pipeline p ON p.id = v.id
  WHERE v.kind = 'followup' AND v.moved_to > @as_of AND p.stage < 'closed_won' AND p.next_followup_at = v.moved_to
  ORDER BY p.id
  FOR NO KEY UPDATE OF p
), followups_back AS (
  UPDATE sales_pipeline p SET next_followup_at = greatest(b.plain_at, @as_of), updated_at = @as_of FROM followups b WHERE p.id = b.id RETURNING p.id
), messages AS MATERIALIZED (
  SELECT m.id, v.plain_at
  FROM timing_moves v
  JOIN outbox_messages m ON m.id = v.id
  WHERE v.kind = 'message' AND v.moved_to > @as_of AND m.status = 'pending' AND m.not_before = v.moved_to
  UNION ALL
  SELECT m.id, b.plain_at
  FROM tasks b
  JOIN outbox_messages m ON m.idempotency_key = 'followup-call/' || b.id
  WHERE m.status = 'pending' AND m.not_before = b.moved_to
), held AS MATERIALIZED (
  SELECT m.id, b.plain_at FROM messages b JOIN outbox_messages m ON m.id = b.id WHERE m.status = 'pending' ORDER BY m.id FOR UPDATE OF m SKIP LOCKED
), messages_back AS (
  UPDATE outbox_messages m SET not_before = greatest(b.plain_at, @as_of) FROM held b WHERE m.id = b.id RETURNING m.id
), forgotten AS (
  DELETE FROM timing_moves
)
SELECT (SELECT count(*) FROM tasks_back), (SELECT count(*) FROM followups_back), (SELECT count(*) FROM messages_back)
