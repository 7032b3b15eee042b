-- Loads the sample's campaigns.
COPY sales_campaigns (
  id, name, description, campaign_type, trigger_criteria, steps_config, enabled, created_at, updated_at
) FROM STDIN (FORMAT BINARY)
