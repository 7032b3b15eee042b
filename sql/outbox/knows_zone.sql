-- Whether the server knows a time zone.
SELECT EXISTS (SELECT 1 FROM time_zones WHERE name = @zone)
