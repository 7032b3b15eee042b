-- What pipeline advance would do now with everything on its list, in its own columns. IS NOT TRUE, IS TRUE: not for the
-- indexes of all replies and of all executions under way.
WITH listed AS MATERIALIZED (
  SELECT o.kind, o.source_id
  FROM pipeline_outcomes o
  WHERE o.happened_at <= @as_of AND (@shard_count::int = 1 OR mod(abs(hashtext(o.lead_ext_id)::bigint), @shard_count) = @shard_index::int)
), ids AS MATERIALIZED (
  SELECT
    array_agg(source_id) FILTER (WHERE kind = 'task') AS tasks,
    array_agg(source_id) FILTER (WHERE kind = 'event') AS events,
    array_agg(source_id) FILTER (WHERE kind = 'reply') AS replies
  FROM listed
), target AS (
  SELECT
    p.stage AS old_stage,
    CASE WHEN p.stage < 'closed_won' THEN greatest(p.stage, max(f.stage)) ELSE p.stage END AS stage,
    least(p.first_contact_at, min(f.happened_at)) IS DISTINCT FROM p.first_contact_at
      OR greatest(p.last_contact_at, max(f.happened_at)) IS DISTINCT FROM p.last_contact_at
      OR (p.stage < 'closed_won' AND bool_or(f.meeting_at IS DISTINCT FROM sales_instant(p.metadata ->> 'meeting_at') AND f.meeting_at IS NOT NULL))
      AS differs
  FROM ids i
  CROSS JOIN LATERAL pipeline_facts(i.tasks, i.events, i.replies, @as_of) AS f
  JOIN sales_pipeline p ON p.id = f.pipeline_id
  GROUP BY p.id
), replied AS (
  SELECT g.lead_ext_id, max(g.replied_at) AS replied_at
  FROM ids i
  CROSS JOIN LATERAL (
    SELECT e.lead_ext_id, e.occurred_at AS replied_at FROM lead_engagement_events e
    WHERE e.id = ANY (i.replies) AND e.event_type = 'reply' AND e.is_bot IS NOT TRUE
    UNION ALL
    SELECT e.lead_ext_id, coalesce(e.executed_at, e.created_at) FROM sales_campaign_events e
    WHERE e.id = ANY (i.events) AND e.event_type = 'email_replied' AND e.status IN ('sent', 'delivered', 'completed')
  ) AS g
  GROUP BY g.lead_ext_id
)
SELECT
  count(*) AS deals,
  count(*) FILTER (WHERE old_stage <> stage) AS advanced,
  count(*) FILTER (WHERE old_stage <> stage AND stage = 'contacted') AS to_contacted,
  count(*) FILTER (WHERE old_stage <> stage AND stage = 'meeting_scheduled') AS to_meeting_scheduled,
  count(*) FILTER (WHERE old_stage <> stage AND stage = 'proposal_sent') AS to_proposal_sent,
  count(*) FILTER (WHERE old_stage <> stage OR differs) AS updated,
  (SELECT count(*) FROM listed) AS outcomes,
  (SELECT count(*) FROM listed WHERE kind = 'reply') AS replies,
  (SELECT count(*) FROM sales_campaign_executions x JOIN replied r USING (lead_ext_id)
   WHERE (x.status IN ('active', 'paused')) IS TRUE AND x.started_at <= r.replied_at) AS stopped
FROM target
