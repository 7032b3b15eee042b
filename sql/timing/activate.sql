-- Learned hours are in use from now on; the lift is measured from the first time on. Moves that lie 90 days back have told all they can.
WITH old AS (
  DELETE FROM timing_moves WHERE moved_to < @as_of - interval '90 days'
)
UPDATE timing_state SET active = true, applied_since = coalesce(applied_since, @as_of) WHERE NOT active OR applied_since IS NULL
