-- What owners have done about the leads of current alerts since they opened: a task that the owner completed, a stage that a person changed, a
-- contact that is neither a campaign's message nor the lead's own reply. The earliest counts.
WITH acted AS MATERIALIZED (
  SELECT a.id, act.at
  FROM alerts a
  JOIN sales_pipeline p ON p.lead_ext_id = a.lead_ext_id
  CROSS JOIN LATERAL (
    SELECT least(
      (SELECT min(t.completed_at) FROM sales_followup_tasks t
       WHERE t.pipeline_id = p.id AND t.status = 'completed' AND t.completed_at > a.opened_at AND t.completed_at <= @as_of
         AND lower(coalesce(t.completed_by, t.assigned_to, a.owner)) IS NOT DISTINCT FROM lower(coalesce(a.owner, t.completed_by, t.assigned_to))),
      -- Moved on by pipeline advance means: by a completed task, which counts above, or by a message or a reply, which are not the owner's.
      (SELECT min(h.changed_at) FROM sales_stage_history h
       WHERE h.pipeline_id = p.id AND h.from_stage IS NOT NULL AND h.changed_at > a.opened_at AND h.changed_at <= @as_of
         AND h.changed_by <> 'pipeline advance'),
      CASE WHEN p.last_contact_at > a.opened_at AND p.last_contact_at <= @as_of
        AND NOT EXISTS (
          SELECT FROM sales_campaign_events e
          WHERE e.lead_ext_id = p.lead_ext_id AND e.created_at <= p.last_contact_at AND e.executed_at = p.last_contact_at)
        AND NOT EXISTS (
          SELECT FROM lead_engagement_events e
          WHERE e.lead_ext_id = p.lead_ext_id AND e.event_type = 'reply' AND e.occurred_at = p.last_contact_at)
        AND NOT EXISTS (
          SELECT FROM sales_followup_tasks t WHERE t.pipeline_id = p.id AND t.completed_at = p.last_contact_at)
        THEN p.last_contact_at END) AS at
  ) AS act
  WHERE a.ended_at IS NULL AND a.acted_at IS NULL AND act.at IS NOT NULL
  ORDER BY a.id
  FOR NO KEY UPDATE OF a
)
UPDATE alerts a
SET acted_at = acted.at
FROM acted
WHERE a.id = acted.id
