-- Messages in a state that sending cannot bring about: held without a lease or held for a day, sent without having been on the wire, ended without
-- an instant, to a lead without one.
SELECT
  'error' AS severity,
  'outbox_messages' AS subject,
  format(o.detail, count(*), min(o.id)) AS detail,
  format(o.detail_es, count(*), min(o.id)) AS detail_es,
  o.fix
FROM (
  SELECT m.id, f.*
  FROM outbox_messages m
  CROSS JOIN LATERAL (
    SELECT
      '%s messages are marked sent and never were on the wire, for instance id %s' AS detail,
      '%s mensajes constan como enviados y nunca salieron, por ejemplo id %s' AS detail_es,
      'sales-tasks outbox list --status sent' AS fix
    WHERE m.status = 'sent' AND m.attempts = 0
    UNION ALL
    SELECT
      '%s messages have been held for more than a day, for instance id %s',
      '%s mensajes llevan más de un día tomados, por ejemplo id %s',
      'sales-tasks outbox dispatch'
    WHERE m.status IN ('leased', 'sending') AND m.lease_until < clock_timestamp() - interval '1 day'
    UNION ALL
    SELECT
      '%s messages whose lease, sending or end contradicts their state, for instance id %s',
      '%s mensajes cuyo estado contradice su reserva, envío o final, por ejemplo id %s',
      'sales-tasks outbox list'
    WHERE (m.lease_token IS NOT NULL AND m.lease_until IS NOT NULL) <> (m.status IN ('leased', 'sending'))
      OR (m.sent_at IS NOT NULL) <> (m.status = 'sent')
      OR (m.finished_at IS NOT NULL) <> (m.status IN ('sent', 'in_doubt', 'dead', 'cancelled'))
    UNION ALL
    SELECT
      '%s messages go to a lead and name none, for instance id %s',
      '%s mensajes van a un lead y no nombran ninguno, por ejemplo id %s',
      'sales-tasks outbox list'
    WHERE m.lead_ext_id IS NULL AND m.purpose IN ('campaign', 'followup')
  ) f
) o
GROUP BY o.detail, o.detail_es, o.fix
