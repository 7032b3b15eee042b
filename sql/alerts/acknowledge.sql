-- A person has seen these alerts and takes care of them. Who did so first stays.
UPDATE alerts
SET status = 'acknowledged', acknowledged_at = coalesce(acknowledged_at, sales_now()), acknowledged_by = coalesce(acknowledged_by, @actor),
    snoozed_until = NULL, to_tell = false
WHERE id = ANY (@ids) AND status <> 'acknowledged'
