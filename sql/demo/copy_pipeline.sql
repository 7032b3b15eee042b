-- Loads deals as they stand now.
COPY sales_pipeline (
  id, lead_ext_id, email, first_name, last_name, phone, source, utm_source, utm_campaign, stage, assigned_to, qualified_at,
  first_contact_at, last_contact_at, next_followup_at, closed_at, estimated_value, probability_pct, metadata, created_at, updated_at
) FROM STDIN (FORMAT BINARY)
