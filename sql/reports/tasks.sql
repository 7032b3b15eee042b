-- By type of task: created in the period, due in it, completed by then or late, and overdue at its end. Skipped and cancelled tasks are
-- counted as created only.
SELECT
  task_type,
  count(*) FILTER (WHERE created_at >= @from_at AND created_at < @to_at) AS created,
  count(*) FILTER (WHERE is_due) AS due,
  count(*) FILTER (WHERE is_due AND completed_at <= due_date) AS on_time,
  count(*) FILTER (WHERE is_due AND completed_at > due_date AND completed_at < @to_at) AS late,
  count(*) FILTER (WHERE is_due AND completed_at <= due_date) / nullif(count(*) FILTER (WHERE is_due), 0)::double precision AS on_time_share,
  wilson_low(count(*) FILTER (WHERE is_due AND completed_at <= due_date), count(*) FILTER (WHERE is_due)) AS on_time_low,
  wilson_high(count(*) FILTER (WHERE is_due AND completed_at <= due_date), count(*) FILTER (WHERE is_due)) AS on_time_high,
  count(*) FILTER (WHERE counts AND due_date < @to_at AND (completed_at IS NULL OR completed_at >= @to_at)) AS overdue
FROM (
  SELECT
    task_type::text AS task_type, created_at, due_date, completed_at,
    status NOT IN ('skipped', 'cancelled') AS counts,
    status NOT IN ('skipped', 'cancelled') AND due_date >= @from_at AND due_date < @to_at AS is_due
  FROM sales_followup_tasks
  WHERE (created_at >= @from_at AND created_at < @to_at)
    OR (due_date < @to_at AND (due_date >= @from_at OR completed_at IS NULL OR completed_at >= @to_at))
) AS t
GROUP BY task_type
ORDER BY array_position(ARRAY['email', 'call', 'meeting', 'proposal', 'custom'], task_type)
