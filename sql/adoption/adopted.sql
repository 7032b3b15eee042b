-- The adoption is done; in the transaction of all it did.
INSERT INTO adoptions (old_schema, time_zone, started_at) VALUES (@old_schema::text, @time_zone::text, @started_at)
