-- Loads which deals went through which campaign.
COPY sales_campaign_executions (
  id, campaign_id, lead_ext_id, pipeline_id, status, current_step, total_steps, started_at, completed_at, next_action_at, metadata,
  created_at, updated_at
) FROM STDIN (FORMAT BINARY)
