-- What became of each lead of an experiment within @horizon days of its assignment, and what was known about it before. Only leads assigned by
-- @until_at, whose whole horizon has passed: everybody is observed for the same time, whenever they came. Everybody who was assigned
-- counts in the group they were assigned to, whatever happened to them.
--
-- Each deal as it stood at the end of its horizon: its last stage then, the contacts known by then. What is found later changes nothing.
-- A source's share of won deals is that of the deals qualified before the experiment, drawn towards the share of all by 20 deals.
WITH before AS MATERIALIZED (
  SELECT lower(btrim(p.source)) AS source, count(*) AS deals, count(*) FILTER (WHERE p.stage = 'closed_won' AND p.closed_at <= @started_at) AS won
  FROM sales_pipeline p
  WHERE p.qualified_at < @started_at
  GROUP BY 1
), everything AS (
  SELECT coalesce(sum(won) / nullif(sum(deals), 0), 0)::double precision AS share FROM before
)
SELECT
  a.arm = 'holdout' AS held_out,
  coalesce(a.score, 0)::double precision AS score,
  ln(1 + coalesce(a.estimated_value, 0))::double precision AS log_value,
  (a.estimated_value IS NOT NULL)::int::double precision AS value_known,
  coalesce((b.won + 20 * v.share) / (b.deals + 20), v.share) AS source_share,
  (s.stage IS NOT DISTINCT FROM 'closed_won')::int::double precision AS won,
  (s.stage >= 'closed_won' IS TRUE)::int::double precision AS closed,
  -- Who was never contacted, or never closed, counts with the whole horizon: leaving them out would compare the quick ones only.
  (CASE WHEN p.first_contact_at <= h.at THEN greatest(0, extract(epoch FROM p.first_contact_at - a.assigned_at)) / 3600.0 ELSE 24.0 * @horizon::int END)
    ::double precision AS contact_hours,
  (CASE WHEN s.stage >= 'closed_won' THEN greatest(0, extract(epoch FROM s.changed_at - a.assigned_at)) / 86400.0 ELSE @horizon::int END)
    ::double precision AS close_days,
  (CASE WHEN s.stage = 'closed_won' THEN coalesce(p.estimated_value, 0) ELSE 0 END)::double precision AS revenue,
  coalesce(t.on_time, 0)::double precision AS tasks_on_time,
  coalesce(t.due, 0)::double precision AS tasks_due,
  coalesce(s.stage < 'closed_won' AND greatest(
    a.assigned_at, CASE WHEN p.first_contact_at <= h.at THEN p.first_contact_at END, CASE WHEN p.last_contact_at <= h.at THEN p.last_contact_at END,
    t.last_done, g.last_event, r.last_reply) <= h.at - interval '14 days', false)::int::double precision AS abandoned
FROM experiment_assignments a
CROSS JOIN everything v
CROSS JOIN LATERAL (SELECT a.assigned_at + make_interval(days => @horizon::int) AS at) AS h
LEFT JOIN before b ON b.source = a.source
LEFT JOIN sales_pipeline p ON p.lead_ext_id = a.lead_ext_id
LEFT JOIN LATERAL (
  SELECT x.to_stage AS stage, x.changed_at
  FROM sales_stage_history x
  WHERE x.pipeline_id = p.id AND x.changed_at <= h.at
  ORDER BY x.changed_at DESC, x.id DESC
  LIMIT 1
) AS s ON true
LEFT JOIN LATERAL (
  SELECT
    count(*) FILTER (WHERE k.due_date BETWEEN a.assigned_at AND h.at AND k.status NOT IN ('skipped', 'cancelled')) AS due,
    count(*) FILTER (WHERE k.due_date BETWEEN a.assigned_at AND h.at AND k.completed_at <= k.due_date) AS on_time,
    max(k.completed_at) FILTER (WHERE k.completed_at <= h.at AND k.task_type <> 'custom') AS last_done
  FROM sales_followup_tasks k
  WHERE k.pipeline_id = p.id
) AS t ON true
LEFT JOIN LATERAL (
  SELECT max(e.executed_at) AS last_event
  FROM sales_campaign_events e
  WHERE e.lead_ext_id = a.lead_ext_id AND e.executed_at <= h.at AND e.status IN ('sent', 'delivered', 'completed')
    AND e.event_type IN ('email_sent', 'email_replied', 'call_made', 'call_answered', 'meeting_scheduled', 'proposal_sent')
) AS g ON true
LEFT JOIN LATERAL (
  SELECT max(e.occurred_at) AS last_reply
  FROM lead_engagement_events e
  WHERE e.lead_ext_id = a.lead_ext_id AND e.occurred_at <= h.at AND e.event_type = 'reply' AND NOT e.is_bot
) AS r ON true
WHERE a.experiment_id = @id AND a.assigned_at <= @until_at
