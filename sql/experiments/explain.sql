-- Which group of which experiment a lead is in, and why; null where it is in none.
SELECT jsonb_build_object(
  'experiment_id', e.id, 'experiment', e.name, 'arm', a.arm, 'assigned_at', a.assigned_at, 'held_out', a.arm = 'holdout' AND e.ended_at IS NULL,
  'bucket', experiment_bucket(e.salt, a.lead_ext_id), 'holdout_below', e.share_permille, 'ended_at', e.ended_at)::text
FROM experiment_assignments a
JOIN experiments e ON e.id = a.experiment_id
WHERE a.lead_ext_id = @lead
