-- All experiments, the newest first, with what was assigned.
SELECT
  e.id, e.name, e.share_permille, e.horizon_days, e.started_at, e.started_by, e.ended_at, e.ended_by,
  count(a.lead_ext_id) FILTER (WHERE a.arm = 'treated'), count(a.lead_ext_id) FILTER (WHERE a.arm = 'holdout')
FROM experiments e
LEFT JOIN experiment_assignments a ON a.experiment_id = e.id
GROUP BY e.id
ORDER BY e.id DESC
