-- Writes what a batch decided, all or nothing: an event a step, the message where there is one, the task where there is one, and where the
-- execution stands now. A key that is known already was written by an earlier step of the same number: it is not written again.
--
-- Events and messages get their ids here, so that nothing is joined with what was just inserted, whose size the planner cannot know: it took one
-- row for granted, and compared each message of a batch with each other one (a batch of 4,000: 16 million comparisons, 3 s).
WITH act AS (
  SELECT a.*
  FROM unnest(
    @executions::bigint[], @leads::text[], @pipelines::bigint[], @steps::int[], @event_types::text[], @event_statuses::text[],
    @event_metadata::text[], @keys::text[], @channels::text[], @recipients::text[], @payloads::text[], @zones::text[],
    @days::text[], @starts::text[], @ends::text[], @task_types::text[], @task_titles::text[], @task_descriptions::text[],
    @task_priorities::text[], @assignees::text[], @task_seconds::double precision[], @next_seconds::double precision[], @statuses::text[],
    @variants::text[]
  ) AS a (
    execution_id, lead_ext_id, pipeline_id, step_number, event_type, event_status, event_metadata, key, channel, recipient, payload,
    time_zone, window_days, window_start, window_end, task_type, task_title, task_description, task_priority, assigned_to, task_seconds,
    next_seconds, status, variant)
),
fresh AS MATERIALIZED (
  SELECT
    a.*,
    CASE WHEN a.event_type IS NOT NULL THEN nextval((SELECT pg_get_serial_sequence('sales_campaign_events', 'id'))::regclass) END AS event_id
  FROM act a
  LEFT JOIN outbox_messages m ON m.idempotency_key = a.key
  WHERE m.id IS NULL
),
-- Leads share few zones and windows: each is looked up once.
opening AS (
  SELECT w.*, coalesce(next_send_time(@as_of, w.time_zone, w.window_days::int[], w.window_start::time, w.window_end::time), @as_of) AS opens_at
  FROM (SELECT DISTINCT a.time_zone, a.window_days, a.window_start, a.window_end FROM act a WHERE a.time_zone IS NOT NULL) AS w
),
event AS (
  INSERT INTO sales_campaign_events (id, execution_id, lead_ext_id, step_number, event_type, status, executed_at, metadata, created_at)
  SELECT
    f.event_id, f.execution_id, f.lead_ext_id, f.step_number, f.event_type, f.event_status,
    CASE WHEN f.event_status = 'completed' THEN @as_of END, f.event_metadata::jsonb, @as_of
  FROM fresh f
  WHERE f.event_type IS NOT NULL
),
planned AS MATERIALIZED (
  SELECT
    f.*, coalesce(o.opens_at, @as_of) AS plain_at, row_number() OVER () AS place,
    nextval((SELECT pg_get_serial_sequence('outbox_messages', 'id'))::regclass) AS message_id
  FROM fresh f
  LEFT JOIN opening o
    ON (o.time_zone, o.window_days, o.window_start, o.window_end) = (f.time_zone, f.window_days, f.window_start, f.window_end)
  WHERE f.channel IS NOT NULL
),
-- A learned hour of the lead's where such are in use, within the campaign's window; asked once for all.
slots AS MATERIALIZED (
  SELECT contact_slots(
    array_agg(CASE WHEN p.channel IN ('email', 'call') THEN p.lead_ext_id END ORDER BY p.place)::varchar[], array_agg(p.channel ORDER BY p.place)::varchar[],
    array_agg(p.plain_at ORDER BY p.place), array_agg(3 ORDER BY p.place), NULL, array_agg(p.window_days ORDER BY p.place),
    array_agg(p.window_start::time ORDER BY p.place), array_agg(p.window_end::time ORDER BY p.place)) AS at
  FROM planned p
  WHERE (SELECT active FROM timing_state)
),
timed AS MATERIALIZED (
  SELECT p.*, coalesce((SELECT at FROM slots)[p.place], p.plain_at) AS not_before FROM planned p
),
message AS (
  INSERT INTO outbox_messages (
    id, idempotency_key, channel, purpose, lead_ext_id, execution_id, step_number, campaign_event_id, recipient, payload, not_before, time_zone,
    window_days, window_start, window_end, created_at)
  SELECT
    f.message_id, f.key, f.channel, 'campaign', f.lead_ext_id, f.execution_id, f.step_number, f.event_id, f.recipient, f.payload::jsonb,
    f.not_before, f.time_zone, f.window_days::int[], f.window_start::time, f.window_end::time, @as_of
  FROM timed f
  ON CONFLICT (idempotency_key) DO NOTHING
  RETURNING id
),
moved AS (
  INSERT INTO timing_moves (kind, id, lead_ext_id, plain_at, moved_to, moved_at)
  SELECT 'message', f.message_id, f.lead_ext_id, f.plain_at, f.not_before, @as_of
  FROM timed f
  -- IS TRUE keeps it a look-up in a hash of the ids that went in.
  WHERE (SELECT active FROM timing_state) AND f.not_before <> f.plain_at AND (f.message_id IN (SELECT id FROM message)) IS TRUE
),
task AS (
  INSERT INTO sales_followup_tasks (
    pipeline_id, lead_ext_id, task_type, task_title, task_description, priority, assigned_to, due_date, metadata, created_at, updated_at)
  SELECT
    f.pipeline_id, f.lead_ext_id, f.task_type, f.task_title, f.task_description, f.task_priority, f.assigned_to,
    @as_of + make_interval(secs => f.task_seconds), f.event_metadata::jsonb || jsonb_build_object('execution_id', f.execution_id), @as_of, @as_of
  FROM fresh f
  -- A step that was withdrawn with its message, and is written anew, has its task already.
  WHERE f.task_type IS NOT NULL AND NOT EXISTS (
    SELECT FROM sales_followup_tasks t
    WHERE t.pipeline_id = f.pipeline_id AND t.metadata ->> 'execution_id' = f.execution_id::text
      AND t.metadata ->> 'campaign_step' = f.step_number::text)
)
UPDATE sales_campaign_executions e
SET
  current_step = a.step_number,
  next_action_at = @as_of + make_interval(secs => a.next_seconds),
  status = a.status,
  completed_at = CASE WHEN a.status = 'completed' THEN @as_of END,
  metadata = CASE WHEN a.variant IS NULL THEN e.metadata ELSE coalesce(e.metadata, '{}') || jsonb_build_object('variant', a.variant) END,
  updated_at = @as_of
FROM act a
WHERE e.id = a.execution_id
