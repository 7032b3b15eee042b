-- Messages that are due and do not leave, and those that a person has to settle: v_outbox_health, as the alerts outbox_stuck and
-- messages_unsettled have it.
-- title en: Outbox
-- title es: Bandeja de salida
-- text en: {due} due, the oldest for {hours} h; {in_doubt} in doubt, {dead} refused
-- text es: {due} pendientes, el más antiguo desde hace {hours} h; {in_doubt} en duda, {dead} rechazados
-- text empty en: nothing waits
-- text empty es: nada en espera
SELECT
  o.channel AS subject, greatest(o.stuck_severity, o.trouble_severity)::text AS severity, CASE WHEN o.channel IS NULL THEN 'empty' ELSE '' END AS variant,
  jsonb_build_object(
    'due', coalesce(o.due, 0), 'hours', floor(extract(epoch FROM sales_now() - o.oldest_due_at) / 3600), 'in_doubt', coalesce(o.in_doubt, 0),
    'dead', coalesce(o.dead, 0))::text AS facts
FROM (SELECT) AS one
LEFT JOIN v_outbox_health o ON true
ORDER BY o.channel
