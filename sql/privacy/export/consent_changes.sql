-- When consent was given and withdrawn.
SELECT to_jsonb(t)::text FROM consent_changes t WHERE t.lead_ext_id = ANY (@leads::text[]) ORDER BY t.changed_at, t.id
