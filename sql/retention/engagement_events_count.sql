-- What engagement_events would delete in all.
SELECT count(*) FROM lead_engagement_events WHERE occurred_at < @before_at
