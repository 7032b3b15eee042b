-- Channels with messages that were refused for good or may have arrived or not: outbox retry or outbox discard settles them.
-- title en: Messages a person has to settle
-- title es: Mensajes que alguien debe resolver
-- text en: {channel}: {dead} refused, {in_doubt} in doubt; see outbox list
-- text es: {channel}: {dead} rechazados, {in_doubt} en duda; mira outbox list
INSERT INTO alert_situations (kind, situation_key, severity, weight, facts)
SELECT 'messages_unsettled', channel, trouble_severity, dead + in_doubt, jsonb_build_object('channel', channel, 'dead', dead, 'in_doubt', in_doubt)
FROM v_outbox_health
WHERE trouble_severity IS NOT NULL
