-- The sealed values of the person's leads; import_id: of rows that are staged, null else.
SELECT NULL::bigint AS import_id, t.lead_id, t.token, t.sealed FROM sealed_values t WHERE t.lead_id = ANY (@lead_ids::bigint[])
UNION ALL
SELECT t.import_id, NULL, t.token, t.sealed FROM lead_import_sealed t WHERE regexp_replace(t.token, '[^0-9]', '', 'g') = ANY (@digits::text[])
