-- In the order of dispatchers: messages first, deals after them. One that goes on the wire at this very moment is waited for.
SELECT m.id FROM outbox_messages m WHERE m.lead_ext_id = ANY (@leads::text[]) ORDER BY m.id FOR UPDATE
