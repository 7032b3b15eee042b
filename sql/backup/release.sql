-- From here on messages leave this copy. Nothing where it is released already.
UPDATE restorations
SET released_at = clock_timestamp(), released_by = @actor
WHERE released_at IS NULL
RETURNING backup, messages_held
