-- Another spelling of the same values.
UPDATE outbox_messages m
SET recipient = i.recipient, payload = i.payload::jsonb
FROM unnest(@ids::bigint[], @recipients::text[], @payloads::text[]) AS i (id, recipient, payload)
WHERE m.id = i.id
