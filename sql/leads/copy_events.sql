-- Staged engagement events.
COPY lead_import_events (
  import_id, seq, file, line, raw, metadata, lead_ext_id, email, event_type, occurred_at, source, source_event_id, user_agent, bot_reason)
FROM STDIN (FORMAT BINARY)
