-- The adoption that was done, if there was one.
SELECT old_schema::text, time_zone, adopted_at, finished_at, extract(epoch FROM adopted_at - started_at)::double precision FROM adoptions
