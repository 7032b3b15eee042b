-- Loads the sample's sales team.
COPY sales_reps (
  email, name, active, max_active_leads, specialisations, languages, regions, time_zone, created_at, updated_at
) FROM STDIN (FORMAT BINARY)
