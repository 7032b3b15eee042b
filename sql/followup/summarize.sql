-- The 24 hours before @as_of: tasks by type, messages, replies, stage moves; open and overdue tasks as they stand now. news counts what
-- happened after @since_at. Sent are messages of the last eight days that left within the 24 hours: what waits for a window or a cap waits
-- no longer, and the index by creation finds them.
WITH tasks AS (
  SELECT
    t.task_type,
    count(*) FILTER (WHERE t.what = 'created') AS created,
    count(*) FILTER (WHERE t.what = 'completed') AS completed,
    count(*) FILTER (WHERE t.what = 'open') AS open,
    count(*) FILTER (WHERE t.what = 'open' AND t.at < @as_of) AS overdue,
    count(*) FILTER (WHERE t.what <> 'open' AND t.at > @since_at) AS news
  FROM (
    SELECT task_type, 'created' AS what, created_at AS at FROM sales_followup_tasks
    WHERE created_at > @as_of - interval '24 hours' AND created_at <= @as_of
    UNION ALL
    SELECT task_type, 'completed', completed_at FROM sales_followup_tasks
    WHERE completed_at > @as_of - interval '24 hours' AND completed_at <= @as_of
    UNION ALL
    SELECT task_type, 'open', due_date FROM sales_followup_tasks WHERE status IN ('pending', 'in_progress')
  ) AS t
  GROUP BY t.task_type
), messages AS (
  SELECT
    count(*) FILTER (WHERE what = 'sent') AS sent,
    count(*) FILTER (WHERE what = 'waiting') AS waiting,
    count(*) FILTER (WHERE what = 'in_doubt') AS in_doubt,
    count(*) FILTER (WHERE what = 'dead') AS dead,
    count(*) FILTER (WHERE what = 'sent' AND at > @since_at) AS news
  FROM (
    SELECT 'sent' AS what, sent_at AS at FROM outbox_messages
    WHERE status = 'sent' AND created_at > @as_of - interval '8 days' AND sent_at > @as_of - interval '24 hours' AND sent_at <= @as_of
      AND purpose <> 'summary'
    UNION ALL
    SELECT 'waiting', NULL FROM outbox_messages WHERE status = 'pending'
    UNION ALL
    SELECT 'waiting', NULL FROM outbox_messages WHERE status IN ('leased', 'sending')
    UNION ALL
    SELECT status, NULL FROM outbox_messages WHERE status IN ('in_doubt', 'dead')
  ) AS m
), replies AS (
  SELECT count(*) AS replies, count(*) FILTER (WHERE occurred_at > @since_at) AS news
  FROM lead_engagement_events
  WHERE event_type = 'reply' AND NOT is_bot AND occurred_at > @as_of - interval '24 hours' AND occurred_at <= @as_of
), moves AS (
  SELECT
    count(*) FILTER (WHERE to_stage < 'closed_won') AS moved,
    count(*) FILTER (WHERE to_stage = 'closed_won') AS won,
    count(*) FILTER (WHERE to_stage = 'closed_lost') AS lost,
    count(*) FILTER (WHERE changed_at > @since_at) AS news
  FROM sales_stage_history
  WHERE from_stage IS NOT NULL AND changed_at > @as_of - interval '24 hours' AND changed_at <= @as_of
)
SELECT
  (SELECT coalesce(sum(created), 0)::bigint FROM tasks) AS tasks_created,
  (SELECT coalesce(sum(completed), 0)::bigint FROM tasks) AS tasks_completed,
  (SELECT coalesce(sum(open), 0)::bigint FROM tasks) AS tasks_open,
  (SELECT coalesce(sum(overdue), 0)::bigint FROM tasks) AS tasks_overdue,
  m.sent AS messages_sent, m.waiting AS messages_waiting, m.in_doubt AS messages_in_doubt, m.dead AS messages_dead,
  r.replies, v.moved AS stage_moves, v.won, v.lost,
  (SELECT coalesce(sum(news), 0)::bigint FROM tasks) + m.news + r.news + v.news AS news,
  (SELECT coalesce(array_agg(format('%s: %s created, %s completed, %s open, %s overdue', task_type, created, completed, open, overdue)
    ORDER BY array_position(ARRAY['email', 'call', 'meeting', 'proposal', 'custom'], task_type::text)), '{}') FROM tasks) AS by_type
FROM messages m, replies r, moves v
