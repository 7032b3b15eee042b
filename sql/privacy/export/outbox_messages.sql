-- Messages to the person and about it.
SELECT to_jsonb(t)::text FROM outbox_messages t WHERE t.lead_ext_id = ANY (@leads::text[]) ORDER BY t.id
