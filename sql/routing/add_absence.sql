-- Notes an absence. Days without a time are those of the rep's own time zone; the last day is part of it. No row: there is no such rep.
INSERT INTO sales_rep_absences (rep_email, starts_at, ends_at, reason)
SELECT
  r.email,
  coalesce(@from_at::timestamptz, @from_day::date::timestamp AT TIME ZONE r.time_zone),
  coalesce(@until_at::timestamptz, (@until_day::date + 1)::timestamp AT TIME ZONE r.time_zone),
  @reason::text
FROM sales_reps r
WHERE r.email = lower(btrim(@rep::text))
RETURNING id, starts_at, ends_at
