-- Moves the next @chunk pending tasks after @after to learned hours: those that follow-up made, that are due later, and whose due date is still what
-- follow-up gave them. Never a first contact, a meeting's preparation, what is begun, or what timing set before. A call request that
-- waits goes with its task. What somebody holds at this moment is left alone.
WITH candidate AS MATERIALIZED (
  SELECT t.id, t.lead_ext_id, t.task_type, t.priority, t.due_date
  FROM sales_followup_tasks t
  JOIN followup_templates f ON f.template = t.metadata ->> 'template' AND f.due_before_meeting IS NULL
  WHERE t.id > @after AND t.status = 'pending' AND t.followup_stage <> 'qualified' AND t.task_type IN ('email', 'call') AND t.due_date > @as_of
    AND t.due_date = followup_due_at(t.created_at, f.due_after, NULL, NULL)
    AND NOT EXISTS (SELECT FROM timing_moves v WHERE v.kind = 'task' AND v.id = t.id)
  ORDER BY t.id
  LIMIT @chunk
  FOR NO KEY UPDATE OF t SKIP LOCKED
), placed AS MATERIALIZED (
  SELECT c.*, contact_slot(c.lead_ext_id, c.task_type, c.due_date, CASE WHEN c.priority = 'urgent' THEN 1 ELSE 3 END, true) AS slot FROM candidate c
), moved AS (
  UPDATE sales_followup_tasks t
  SET due_date = p.slot, updated_at = @as_of
  FROM placed p
  WHERE t.id = p.id AND p.slot <> p.due_date
  RETURNING t.id
), waiting AS MATERIALIZED (
  SELECT m.id, p.slot
  FROM placed p
  JOIN outbox_messages m ON m.idempotency_key = 'followup-call/' || p.id
  WHERE p.slot <> p.due_date AND m.status = 'pending' AND m.attempts = 0 AND m.not_before = p.due_date
  ORDER BY m.id
  FOR UPDATE OF m SKIP LOCKED
), called AS (
  UPDATE outbox_messages m SET not_before = w.slot FROM waiting w WHERE m.id = w.id
), kept AS (
  INSERT INTO timing_moves (kind, id, lead_ext_id, plain_at, moved_to, moved_at)
  SELECT 'task', p.id, p.lead_ext_id, p.due_date, p.slot, @as_of FROM placed p WHERE p.slot <> p.due_date ORDER BY p.id
)
SELECT count(*), coalesce(max(id), 0), (SELECT count(*) FROM moved) FROM candidate
