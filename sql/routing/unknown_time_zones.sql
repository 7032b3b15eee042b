-- Of these names, those the server knows no time zone by.
SELECT DISTINCT z.name FROM unnest(@names::text[]) AS z (name) WHERE NOT EXISTS (SELECT FROM time_zones t WHERE t.name = z.name) ORDER BY 1
