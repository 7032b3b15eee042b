-- Channels where a message is due for more than 4 hours; critical after a day.
-- title en: Messages that do not leave
-- title es: Mensajes que no salen
-- text en: {channel}: {messages} due, the oldest for {hours} h
-- text es: {channel}: {messages} pendientes, el más antiguo desde hace {hours} h
INSERT INTO alert_situations (kind, situation_key, severity, weight, facts)
SELECT
  'outbox_stuck', channel, stuck_severity, due,
  jsonb_build_object('channel', channel, 'messages', due, 'hours', floor(extract(epoch FROM @as_of - oldest_due_at) / 3600))
FROM v_outbox_health
WHERE stuck_severity IS NOT NULL
