-- Writes a chunk of the plan as far as it still holds. A statement of its own after the locks: its snapshot shows what others committed until
-- then. Arrays in the order of the leads' turns: deal, new rep, owner in the plan (null: nobody), last contact in the plan. Verdicts: ok, or why
-- not. @capacity is for reps without one of their own.
WITH planned AS MATERIALIZED (
  SELECT *
  FROM unnest(@ids::bigint[], @reps::text[], @owners::text[], @contacts::timestamptz[]) WITH ORDINALITY AS x (id, rep, owner, contacted_at, turn)
), state AS MATERIALIZED (
  SELECT
    r.email,
    r.active,
    EXISTS (
      SELECT FROM sales_rep_absences a WHERE a.rep_email = r.email AND a.starts_at <= @as_of AND (a.ends_at IS NULL OR a.ends_at > @as_of)) AS absent,
    coalesce(r.max_active_leads, @capacity) - (
      SELECT count(*) FROM sales_pipeline p WHERE p.assigned_to = r.email AND p.stage < 'closed_won') AS free
  FROM sales_reps r
  WHERE r.email IN (SELECT DISTINCT rep FROM planned)
), judged AS MATERIALIZED (
  SELECT
    x.*,
    s.free,
    CASE
      WHEN p.id IS NULL OR p.stage >= 'closed_won' THEN 'closed'
      WHEN p.assigned_to IS DISTINCT FROM x.owner THEN 'taken'
      WHEN x.owner IS NOT NULL AND greatest(p.last_contact_at, p.first_contact_at, (
        SELECT max(t.completed_at)
        FROM sales_followup_tasks t
        WHERE t.pipeline_id = p.id AND t.status = 'completed' AND t.task_type IN ('email', 'call', 'meeting', 'proposal')
      )) > x.contacted_at THEN 'contacted'
      WHEN s.email IS NULL OR NOT s.active THEN 'rep_inactive'
      WHEN s.absent THEN 'rep_absent'
      ELSE 'ok'
    END AS verdict
  FROM planned x
  LEFT JOIN sales_pipeline p ON p.id = x.id
  LEFT JOIN state s ON s.email = x.rep
), final AS MATERIALIZED (
  SELECT
    id, rep, owner, turn,
    CASE
      WHEN verdict = 'ok' AND row_number() OVER (PARTITION BY rep, verdict ORDER BY turn) > free THEN 'rep_full'
      ELSE verdict
    END AS verdict
  FROM judged
), moved AS (
  UPDATE sales_pipeline p
  SET assigned_to = f.rep,
      assigned_at = @as_of,
      reassignments = p.reassignments + (f.owner IS NOT NULL)::int,
      updated_at = @as_of
  FROM final f
  WHERE p.id = f.id AND f.verdict = 'ok'
)
SELECT verdict FROM final ORDER BY turn
