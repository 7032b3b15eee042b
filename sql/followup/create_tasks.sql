-- Looks at up to @chunk deals of each list that are due, makes the tasks they need, at most @limit (null: all), the most urgent first, and
-- takes them off the lists; those beyond the limit stay on it. Rows that another run holds are left to it (SKIP LOCKED), and should two rows
-- of one deal be in two hands, the unique index lets one task in. Deals are locked in the order of their ids and must still be in the stage
-- they were judged in: a change of stage has put them on the list again.
--
-- @post_tasks, @request_calls: a message to the task system for every task, and to the call system for calls to leads who have a number.
-- The first tells our own people and is a notice. The second reaches a lead: it is a follow-up, for which consent, suppressions, the house's
-- window and caps are judged when it is claimed, and it does not leave before the task is due.
--
-- What is due later may be put to a learned hour (contact_slots, asked once for all): not a first contact and not a meeting's preparation.
WITH due AS MATERIALIZED (
  SELECT k.id, k.pipeline_id
  FROM followup_checks k
  WHERE k.due_at <= @as_of AND k.pipeline_id % @shard_count = @shard_index
  LIMIT @chunk
  FOR UPDATE SKIP LOCKED
), silent AS MATERIALIZED (
  SELECT k.id, k.pipeline_id
  FROM followup_checks k
  -- IS NOT FALSE: not for the index of the other list, where nearly all rows are later ones.
  WHERE k.silent_since <= @as_of - make_interval(days => @days) AND (k.due_at > @as_of) IS NOT FALSE AND k.pipeline_id % @shard_count = @shard_index
  LIMIT @chunk
  FOR UPDATE SKIP LOCKED
), picked AS MATERIALIZED (
  SELECT * FROM due UNION ALL SELECT * FROM silent
), decided AS MATERIALIZED (
  SELECT d.* FROM followup_decisions((SELECT array_agg(DISTINCT pipeline_id) FROM picked), @as_of, @days) AS d
), held_out AS MATERIALIZED (
  -- Nothing is looked up where no experiment runs. OFFSET 0: deal by deal, whatever the planner thinks of the sizes.
  SELECT d.pipeline_id
  FROM decided d
  CROSS JOIN LATERAL (
    SELECT h.lead_ext_id FROM sales_pipeline p JOIN held_out_leads h ON h.lead_ext_id = p.lead_ext_id WHERE p.id = d.pipeline_id OFFSET 0) AS h
  WHERE d.decision = 'needed' AND (SELECT EXISTS (SELECT FROM experiments WHERE ended_at IS NULL))
), chosen AS MATERIALIZED (
  SELECT d.*
  FROM decided d
  WHERE d.decision = 'needed' AND d.pipeline_id NOT IN (SELECT pipeline_id FROM held_out)
  ORDER BY d.template_priority DESC, d.priority DESC NULLS LAST, d.score DESC NULLS LAST, d.needed_at, d.pipeline_id
  LIMIT @limit
), beyond AS MATERIALIZED (
  SELECT pipeline_id FROM decided WHERE decision = 'needed'
  EXCEPT SELECT pipeline_id FROM chosen
  EXCEPT SELECT pipeline_id FROM held_out
), others AS MATERIALIZED (
  -- Further rows of deals that have just been judged, also those for a later day: they are judged anew below. LATERAL, so that each deal's
  -- are looked up, whatever the planner knows of the list.
  SELECT k.id
  FROM (SELECT DISTINCT pipeline_id FROM picked WHERE pipeline_id NOT IN (SELECT pipeline_id FROM beyond)) AS d
  CROSS JOIN LATERAL (SELECT k.id FROM followup_checks k WHERE k.pipeline_id = d.pipeline_id FOR UPDATE SKIP LOCKED) AS k
  WHERE k.id NOT IN (SELECT id FROM picked)
), settled AS (
  DELETE FROM followup_checks
  WHERE id IN (
    SELECT id FROM picked WHERE pipeline_id NOT IN (SELECT pipeline_id FROM beyond)
    UNION ALL
    SELECT id FROM others)
), later AS (
  INSERT INTO followup_checks (pipeline_id, due_at, silent_since)
  -- What waits for pipeline advance is looked at again after this run, whatever that makes of it.
  SELECT
    d.pipeline_id, CASE WHEN d.decision = 'waiting' THEN @as_of + interval '1 second' ELSE d.due_at END,
    CASE WHEN d.decision = 'waiting' THEN NULL ELSE d.silent_since END
  FROM decided d
  WHERE d.decision = 'waiting' OR (d.decision = 'later' AND (d.due_at < 'infinity' OR d.silent_since IS NOT NULL))
), locked AS MATERIALIZED (
  -- With the decision beside it: a join of two sets that the planner knows nothing of could compare each row with each.
  SELECT p.id, p.lead_ext_id, p.assigned_to, c.stage, c.template, c.meeting_at
  FROM sales_pipeline p
  JOIN chosen c ON c.pipeline_id = p.id AND c.stage = p.stage
  ORDER BY p.id
  FOR NO KEY UPDATE OF p
), planned AS MATERIALIZED (
  SELECT
    k.id AS pipeline_id, k.lead_ext_id, k.stage, k.meeting_at, f.template, f.task_type, f.priority, text.title, text.description, k.assigned_to,
    followup_due_at(@as_of, f.due_after, f.due_before_meeting, k.meeting_at) AS plain_due,
    f.task_type IN ('email', 'call') AND k.stage <> 'qualified' AND f.due_before_meeting IS NULL AS may_wait,
    row_number() OVER (ORDER BY k.id) AS place
  FROM locked k
  JOIN leads l ON l.ext_id = k.lead_ext_id
  JOIN followup_templates f ON f.template = k.template
  CROSS JOIN LATERAL (
    SELECT x.title, x.description
    FROM followup_template_texts x
    CROSS JOIN followup_settings s
    WHERE x.template = f.template
    ORDER BY
      x.language = split_part(replace(lower(btrim(coalesce(l.language, ''))), '_', '-'), '-', 1) DESC, x.language = s.default_language DESC, x.language
    LIMIT 1
  ) AS text
), slots AS MATERIALIZED (
  SELECT contact_slots(
    array_agg(CASE WHEN n.may_wait THEN n.lead_ext_id END ORDER BY n.place), array_agg(n.task_type ORDER BY n.place), array_agg(n.plain_due ORDER BY n.place),
    array_agg(CASE WHEN n.priority = 'urgent' THEN 1 ELSE 3 END ORDER BY n.place), true) AS at
  FROM planned n
  WHERE (SELECT active FROM timing_state)
), created AS (
  INSERT INTO sales_followup_tasks (
    pipeline_id, lead_ext_id, task_type, task_title, task_description, priority, assigned_to, due_date, followup_stage, metadata, created_at,
    updated_at)
  SELECT
    n.pipeline_id, n.lead_ext_id, n.task_type, n.title, n.description, n.priority, n.assigned_to, coalesce((SELECT at FROM slots)[n.place], n.plain_due),
    n.stage,
    jsonb_strip_nulls(jsonb_build_object('template', n.template, 'meeting_at', n.meeting_at)), @as_of, @as_of
  FROM planned n
  ORDER BY n.pipeline_id
  ON CONFLICT (pipeline_id, followup_stage) WHERE followup_stage IS NOT NULL AND status IN ('pending', 'in_progress') DO NOTHING
  RETURNING
    id, pipeline_id, lead_ext_id, task_type, task_title, task_description, priority, assigned_to, due_date, followup_stage,
    metadata ->> 'template' AS template
), timed AS (
  INSERT INTO timing_moves (kind, id, lead_ext_id, plain_at, moved_to, moved_at)
  -- The plain time from the template anew: a join with what was planned would compare each row with each.
  SELECT 'task', t.id, t.lead_ext_id, followup_due_at(@as_of, f.due_after, NULL, NULL), t.due_date, @as_of
  FROM created t
  JOIN followup_templates f ON f.template = t.template AND f.due_before_meeting IS NULL
  WHERE (SELECT active FROM timing_state) AND t.due_date <> followup_due_at(@as_of, f.due_after, NULL, NULL)
  ORDER BY t.id
), letters AS (
  SELECT
    t.id, t.lead_ext_id, t.task_type, t.due_date, l.has_phone, l.phone,
    jsonb_strip_nulls(jsonb_build_object(
      'title', t.task_title, 'description', t.task_description, 'notes', t.task_description, 'due', t.due_date, 'assignee', t.assigned_to,
      'metadata', jsonb_build_object(
        'lead_ext_id', l.ext_id, 'task_id', t.id, 'pipeline_id', t.pipeline_id, 'task_type', t.task_type, 'priority', t.priority,
        'stage', t.followup_stage, 'lead_name', nullif(concat_ws(' ', l.first_name, l.last_name), ''), 'lead_email', l.email,
        'lead_phone', l.phone, 'company', l.company_name))) AS payload
  FROM created t
  JOIN leads l ON l.ext_id = t.lead_ext_id
  WHERE @post_tasks OR @request_calls
), posted AS (
  INSERT INTO outbox_messages (idempotency_key, channel, purpose, lead_ext_id, payload, not_before, created_at)
  SELECT 'followup-task/' || t.id, 'task', 'notice', t.lead_ext_id, t.payload, @as_of, @as_of
  FROM letters t
  WHERE @post_tasks
  ORDER BY t.id
  RETURNING id
), called AS (
  INSERT INTO outbox_messages (idempotency_key, channel, purpose, lead_ext_id, recipient, payload, not_before, created_at)
  SELECT 'followup-call/' || t.id, 'call', 'followup', t.lead_ext_id, t.phone, t.payload, t.due_date, @as_of
  FROM letters t
  WHERE @request_calls AND t.task_type = 'call' AND t.has_phone
  ORDER BY t.id
  RETURNING id
), replanned AS (
  -- The meeting was moved: so is its preparation, once, unless it has begun.
  UPDATE sales_followup_tasks t
  SET due_date = followup_due_at(@as_of, f.due_after, f.due_before_meeting, d.meeting_at),
      metadata = coalesce(t.metadata, '{}') || jsonb_build_object('meeting_at', d.meeting_at),
      updated_at = @as_of
  FROM decided d
  JOIN followup_templates f ON f.stage = 'meeting_scheduled' AND NOT f.after_meeting AND f.due_before_meeting IS NOT NULL
  WHERE t.id = d.open_task_id AND d.stage = 'meeting_scheduled' AND d.meeting_at > @as_of AND t.status = 'pending'
    AND t.metadata ->> 'template' = f.template AND sales_instant(t.metadata ->> 'meeting_at') IS DISTINCT FROM d.meeting_at
  RETURNING t.id
)
SELECT
  (SELECT count(*) FROM picked) AS picked,
  (SELECT count(*) FROM decided) AS checked,
  (SELECT count(*) FROM created) AS created,
  (SELECT count(*) FROM created WHERE task_type = 'email') AS emails,
  (SELECT count(*) FROM created WHERE task_type = 'call') AS calls,
  (SELECT count(*) FROM replanned) AS replanned,
  (SELECT count(*) FROM decided WHERE decision = 'waiting') AS waiting,
  (SELECT count(*) FROM posted) + (SELECT count(*) FROM called) AS messages,
  (SELECT count(*) FROM held_out) AS held_out
