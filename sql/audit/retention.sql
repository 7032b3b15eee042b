-- How many whole months the trail is kept; null = for ever.
SELECT r.keep_months FROM audit_retention r
