-- Whether the database is there.
SELECT EXISTS (SELECT FROM pg_database WHERE datname = @database) AS present
