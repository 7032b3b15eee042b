-- How many whole months the trail is kept; null = for ever. The owner's to decide.
UPDATE audit_retention SET keep_months = @months::int
