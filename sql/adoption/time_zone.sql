-- Refused (22023) where the server does not know the zone.
SELECT now() AT TIME ZONE @time_zone::text
