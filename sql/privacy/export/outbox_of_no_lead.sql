-- Messages to our own people that name the person.
SELECT to_jsonb(t)::text FROM outbox_messages t
WHERE t.lead_ext_id IS NULL AND (t.payload::text ~* @strong OR lower(t.recipient) = ANY (@emails::text[]))
ORDER BY t.id
