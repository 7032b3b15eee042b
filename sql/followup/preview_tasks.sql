-- What create_tasks.sql would do now with everything that is due.
WITH decided AS MATERIALIZED (
  SELECT d.*
  FROM followup_decisions(
    (SELECT array_agg(k.pipeline_id)
     FROM (
       SELECT pipeline_id FROM followup_checks WHERE due_at <= @as_of
       UNION
       SELECT pipeline_id FROM followup_checks WHERE silent_since <= @as_of - make_interval(days => @days)) AS k
     WHERE k.pipeline_id % @shard_count = @shard_index),
    @as_of, @days) AS d
), held_out AS MATERIALIZED (
  SELECT d.pipeline_id
  FROM decided d
  CROSS JOIN LATERAL (
    SELECT h.lead_ext_id FROM sales_pipeline p JOIN held_out_leads h ON h.lead_ext_id = p.lead_ext_id WHERE p.id = d.pipeline_id OFFSET 0) AS h
  WHERE d.decision = 'needed' AND (SELECT EXISTS (SELECT FROM experiments WHERE ended_at IS NULL))
), chosen AS (
  SELECT f.task_type, l.has_phone
  FROM (
    SELECT * FROM decided
    WHERE decision = 'needed' AND pipeline_id NOT IN (SELECT pipeline_id FROM held_out)
    ORDER BY template_priority DESC, priority DESC NULLS LAST, score DESC NULLS LAST, needed_at, pipeline_id
    LIMIT @limit
  ) AS d
  JOIN followup_templates f USING (template)
  JOIN sales_pipeline p ON p.id = d.pipeline_id
  JOIN leads l ON l.ext_id = p.lead_ext_id
)
SELECT
  0::bigint AS picked,
  (SELECT count(*) FROM decided) AS checked,
  count(*) AS created,
  count(*) FILTER (WHERE task_type = 'email') AS emails,
  count(*) FILTER (WHERE task_type = 'call') AS calls,
  (SELECT count(*)
   FROM decided d
   JOIN sales_followup_tasks t ON t.id = d.open_task_id AND t.status = 'pending'
   JOIN followup_templates f ON f.template = t.metadata ->> 'template' AND NOT f.after_meeting AND f.due_before_meeting IS NOT NULL
   WHERE d.stage = 'meeting_scheduled' AND d.meeting_at > @as_of
     AND sales_instant(t.metadata ->> 'meeting_at') IS DISTINCT FROM d.meeting_at) AS replanned,
  (SELECT count(*) FROM decided WHERE decision = 'waiting') AS waiting,
  count(*) FILTER (WHERE @post_tasks) + count(*) FILTER (WHERE @request_calls AND task_type = 'call' AND has_phone) AS messages,
  (SELECT count(*) FROM held_out) AS held_out
FROM chosen
