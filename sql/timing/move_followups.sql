-- Moves the next follow-up of the next @chunk open deals after @after: to the learned interval after the last contact, and so that the task which the
-- stage then asks for is due in a learned hour, made two hours before. Only what the program set: the last contact plus the plain three days or
-- the lead's interval. Never for a first contact or around a meeting. A date that a person gave stays.
WITH candidate AS MATERIALIZED (
  SELECT
    p.id, p.lead_ext_id, p.next_followup_at, f.task_type, f.due_after, f.priority,
    greatest(p.last_contact_at + interval '1 day' * coalesce(c.interval_days, 3)::double precision, @as_of) AS plain
  FROM sales_pipeline p
  JOIN followup_templates f ON f.stage = p.stage AND NOT f.after_meeting AND f.due_before_meeting IS NULL AND f.task_type IN ('email', 'call')
  LEFT JOIN lead_contact_timing c ON c.lead_ext_id = p.lead_ext_id
  WHERE p.id > @after AND p.stage < 'closed_won' AND p.stage NOT IN ('qualified', 'meeting_scheduled') AND p.next_followup_at > @as_of
    AND p.next_followup_at - p.last_contact_at IN (interval '72 hours', interval '1 day' * c.interval_days::double precision)
    AND NOT EXISTS (SELECT FROM timing_moves v WHERE v.kind = 'followup' AND v.id = p.id AND v.moved_to = p.next_followup_at)
  ORDER BY p.id
  LIMIT @chunk
  FOR NO KEY UPDATE OF p SKIP LOCKED
), placed AS MATERIALIZED (
  SELECT
    c.*, c.plain + c.due_after AS due,
    contact_slot(c.lead_ext_id, c.task_type, c.plain + c.due_after, CASE WHEN c.priority = 'urgent' THEN 1 ELSE 3 END, true) AS slot
  FROM candidate c
), target AS MATERIALIZED (
  SELECT
    p.id, p.lead_ext_id, p.next_followup_at,
    CASE WHEN p.slot = p.due THEN p.plain ELSE greatest(p.plain, p.slot - p.due_after - interval '2 hours') END AS moved_to
  FROM placed p
), moved AS (
  UPDATE sales_pipeline d
  SET next_followup_at = t.moved_to, updated_at = @as_of
  FROM target t
  WHERE d.id = t.id AND t.moved_to <> t.next_followup_at
  RETURNING d.id
), kept AS (
  INSERT INTO timing_moves (kind, id, lead_ext_id, plain_at, moved_to, moved_at)
  SELECT 'followup', t.id, t.lead_ext_id, t.next_followup_at, t.moved_to, @as_of FROM target t WHERE t.moved_to <> t.next_followup_at ORDER BY t.id
  ON CONFLICT (kind, id) DO UPDATE SET plain_at = excluded.plain_at, moved_to = excluded.moved_to, moved_at = excluded.moved_at
)
SELECT count(*), coalesce(max(id), 0), (SELECT count(*) FROM moved) FROM candidate
