-- Loads what the campaigns sent and what came back.
COPY sales_campaign_events (execution_id, lead_ext_id, step_number, event_type, status, executed_at, created_at) FROM STDIN (FORMAT BINARY)
