-- Fields that both sides had changed.
SELECT to_jsonb(t)::text FROM crm_conflicts t WHERE t.lead_ext_id = ANY (@leads::text[]) ORDER BY t.id
