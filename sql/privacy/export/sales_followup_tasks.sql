-- Tasks about the person.
SELECT to_jsonb(t)::text FROM sales_followup_tasks t WHERE t.lead_ext_id = ANY (@leads::text[]) ORDER BY t.id
