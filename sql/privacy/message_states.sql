-- How many messages of the person are on the wire at this moment, and may arrive.
SELECT count(*) FROM outbox_messages m WHERE m.lead_ext_id = ANY (@leads::text[]) AND m.status = 'sending'
