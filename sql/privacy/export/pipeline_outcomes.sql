-- What happened and is not yet seen in the deal.
SELECT to_jsonb(t)::text FROM pipeline_outcomes t WHERE t.lead_ext_id = ANY (@leads::text[]) ORDER BY t.id
