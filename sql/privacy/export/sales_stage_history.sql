-- The stages that deals went through.
SELECT to_jsonb(t)::text FROM sales_stage_history t WHERE t.lead_ext_id = ANY (@leads::text[]) ORDER BY t.changed_at, t.id
