-- Every number and note that is kept sealed, also one that nothing holds any more; the export shows the value for its token.
SELECT jsonb_build_object('lead_id', t.lead_id, 'value', t.token, 'key_id', t.key_id, 'unused_since', t.unused_since)::text
FROM sealed_values t WHERE t.lead_id = ANY (@lead_ids::bigint[]) ORDER BY t.lead_id, t.token
