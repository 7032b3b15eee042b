-- The learned interval between contacts.
SELECT to_jsonb(t)::text FROM lead_contact_timing t WHERE t.lead_ext_id = ANY (@leads::text[]) ORDER BY t.lead_ext_id
