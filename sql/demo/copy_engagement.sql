-- Loads what leads and their mail gateways did.
COPY lead_engagement_events (
  lead_ext_id, event_type, occurred_at, source, source_event_id, is_bot, bot_reason, created_at
) FROM STDIN (FORMAT BINARY)
