-- Loads when the sample's reps were, are and will be away.
COPY sales_rep_absences (rep_email, starts_at, ends_at, reason, created_at) FROM STDIN (FORMAT BINARY)
