SELECT EXISTS (SELECT 1 FROM time_zones WHERE name = @zone)
