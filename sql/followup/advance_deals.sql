-- Moves the deals to the stage that what happened shows at least, and their instants of contact with it. Deals are locked in the order of
-- their ids before they are changed and judged as they stand then, so whatever runs beside this, a stage never goes back and a closed deal
-- stays closed.
WITH facts AS MATERIALIZED (
  SELECT * FROM pipeline_facts(@tasks, @events, @replies, @as_of)
), seen AS MATERIALIZED (
  SELECT
    f.pipeline_id,
    max(f.stage) AS stage,
    min(f.happened_at) AS first_contact_at,
    max(f.happened_at) AS last_contact_at,
    (array_agg(f.meeting_at ORDER BY f.happened_at DESC) FILTER (WHERE f.meeting_at IS NOT NULL))[1] AS meeting_at
  FROM facts f
  GROUP BY f.pipeline_id
), locked AS MATERIALIZED (
  -- With what was seen beside it: a join of two sets that the planner knows nothing of could compare each row with each.
  SELECT
    p.id, p.stage, p.first_contact_at, p.last_contact_at, p.metadata,
    s.stage AS seen_stage, s.first_contact_at AS seen_first_at, s.last_contact_at AS seen_last_at, s.meeting_at
  FROM sales_pipeline p
  JOIN seen s ON s.pipeline_id = p.id
  ORDER BY p.id
  FOR NO KEY UPDATE OF p
), target AS MATERIALIZED (
  SELECT
    k.id,
    k.stage AS old_stage,
    CASE WHEN k.stage < 'closed_won' THEN greatest(k.stage, k.seen_stage) ELSE k.stage END AS stage,
    least(k.first_contact_at, k.seen_first_at) AS first_contact_at,
    greatest(k.last_contact_at, k.seen_last_at) AS last_contact_at,
    CASE WHEN k.meeting_at IS NOT NULL AND k.stage < 'closed_won'
      THEN coalesce(k.metadata, '{}') || jsonb_build_object('meeting_at', k.meeting_at) ELSE k.metadata END AS metadata
  FROM locked k
), changed AS (
  UPDATE sales_pipeline p
  SET stage = t.stage, first_contact_at = t.first_contact_at, last_contact_at = t.last_contact_at, metadata = t.metadata, updated_at = @as_of
  FROM target t
  WHERE p.id = t.id
    AND (p.stage, p.first_contact_at, p.last_contact_at, p.metadata) IS DISTINCT FROM (t.stage, t.first_contact_at, t.last_contact_at, t.metadata)
  RETURNING t.old_stage, p.stage
), checks AS (
  -- Whether it changed or not: create-tasks was waiting for this step.
  INSERT INTO followup_checks (pipeline_id) SELECT pipeline_id FROM seen
)
SELECT
  (SELECT count(*) FROM seen) AS deals,
  count(*) FILTER (WHERE old_stage <> stage) AS advanced,
  count(*) FILTER (WHERE old_stage <> stage AND stage = 'contacted') AS to_contacted,
  count(*) FILTER (WHERE old_stage <> stage AND stage = 'meeting_scheduled') AS to_meeting_scheduled,
  count(*) FILTER (WHERE old_stage <> stage AND stage = 'proposal_sent') AS to_proposal_sent,
  count(*) AS updated
FROM changed
