-- Not now: these alerts are told again at @until_at, where their situation still lasts.
UPDATE alerts SET status = 'snoozed', snoozed_until = @until_at, snoozed_by = @actor, to_tell = false WHERE id = ANY (@ids)
