-- The messages written carry all news, or (@reps_only) that of reps alone.
WITH told AS MATERIALIZED (
  SELECT a.id
  FROM alerts a
  WHERE a.to_tell AND a.status = 'open' AND a.ended_at IS NULL
    AND (NOT @reps_only::boolean OR EXISTS (SELECT FROM sales_reps r WHERE r.email = a.owner AND r.active AND position('@' IN r.email) > 1))
  ORDER BY a.id
  FOR NO KEY UPDATE
)
UPDATE alerts a
SET to_tell = false, told_at = @as_of, times_told = a.times_told + 1
FROM told
WHERE a.id = told.id
