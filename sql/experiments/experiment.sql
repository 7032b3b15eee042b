-- One experiment as it stood at an instant: that of this id, else the latest that had begun. Groups are counted as assigned by then.
SELECT
  e.id, e.name, e.share_permille, e.horizon_days, e.started_at, CASE WHEN e.ended_at <= @as_of THEN e.ended_at END,
  (SELECT count(*) FROM experiment_assignments a WHERE a.experiment_id = e.id AND a.assigned_at <= @as_of AND a.arm = 'treated'),
  (SELECT count(*) FROM experiment_assignments a WHERE a.experiment_id = e.id AND a.assigned_at <= @as_of AND a.arm = 'holdout')
FROM experiments e
WHERE e.started_at <= @as_of AND (@id::bigint IS NULL OR e.id = @id)
ORDER BY e.started_at DESC, e.id DESC
LIMIT 1
