-- Changes that the CRM is to be told.
SELECT to_jsonb(t)::text FROM crm_changes t WHERE t.lead_ext_id = ANY (@leads::text[]) ORDER BY t.id
