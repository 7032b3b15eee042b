-- A person has settled these alerts. They stay current while their situation lasts, which keeps them from opening again at once.
UPDATE alerts
SET status = 'resolved', resolved_at = sales_now(), resolved_by = @actor, snoozed_until = NULL, to_tell = false
WHERE id = ANY (@ids)
