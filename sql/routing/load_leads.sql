-- The leads a run decides about, in their turn: those of nobody first, then those of reps who are not active any more, then those without
-- contact since @stale_since_at; within each by priority, score and age. @only_unassigned leaves the first group alone.
-- Silence counts from the last contact (also a contact task that is done but not yet in last_contact_at), else from when the owner got the
-- deal, else from its qualification; an owner is not stale before having had the deal for as long.
-- A run that may not look at all of them (@limited) begins with those that were looked at longest ago, or never: the same ones at the head,
-- whom nobody can take, would keep all others waiting for ever.
SELECT
  due.id, due.lead_id, due.assigned_to, due.kind, due.contacted_at, due.since_at, due.reassignments, due.estimated_value, due.probability_pct,
  coalesce(split_part(replace(lower(btrim(due.language)), '_', '-'), '-', 1), '') AS language,
  coalesce(lower(btrim(due.region)), '') AS region,
  coalesce(lower(btrim(due.country)), '') AS country,
  coalesce(nullif(lower(btrim(due.product_interest)), ''), lower(btrim(due.industry)), '') AS product,
  count(*) OVER () AS all_due
FROM (
  SELECT
    p.id, l.lead_id, p.assigned_to, 0 AS kind, NULL::timestamptz AS contacted_at, p.qualified_at AS since_at, p.reassignments, p.estimated_value,
    p.probability_pct, l.language, l.region, l.country, l.product_interest, l.industry, p.priority, p.score, p.qualified_at
  FROM sales_pipeline p
  JOIN leads l ON l.ext_id = p.lead_ext_id
  WHERE p.assigned_to IS NULL AND p.stage < 'closed_won'
  UNION ALL
  SELECT
    p.id, l.lead_id, p.assigned_to, CASE WHEN r.active THEN 2 WHEN r.email IS NULL THEN 2 ELSE 1 END, greatest(p.last_contact_at, p.first_contact_at, done.contacted_at),
    coalesce(p.assigned_at, p.qualified_at), p.reassignments, p.estimated_value,
    p.probability_pct, l.language, l.region, l.country, l.product_interest, l.industry, p.priority, p.score, p.qualified_at
  FROM sales_pipeline p
  JOIN leads l ON l.ext_id = p.lead_ext_id
  LEFT JOIN sales_reps r ON r.email = p.assigned_to
  LEFT JOIN LATERAL (
    SELECT max(t.completed_at) AS contacted_at
    FROM sales_followup_tasks t
    WHERE t.pipeline_id = p.id AND t.status = 'completed' AND t.task_type IN ('email', 'call', 'meeting', 'proposal')
  ) done ON true
  WHERE NOT @only_unassigned::boolean AND p.assigned_to IS NOT NULL AND p.stage < 'closed_won'
    -- Said apart from the tasks, so that these are looked up only for deals that are silent otherwise.
    AND (NOT r.active OR (
      coalesce(p.assigned_at, p.qualified_at) < @stale_since_at
      AND coalesce(greatest(p.last_contact_at, p.first_contact_at), '-infinity') < @stale_since_at))
    AND (NOT r.active OR coalesce(done.contacted_at, '-infinity') < @stale_since_at)
) AS due
ORDER BY
  CASE WHEN @limited THEN coalesce((SELECT max(d.run_id) FROM routing_decisions d WHERE d.lead_id = due.lead_id), 0) END,
  due.kind, due.priority DESC NULLS LAST, due.score DESC NULLS LAST, due.qualified_at, due.id
LIMIT @limit
