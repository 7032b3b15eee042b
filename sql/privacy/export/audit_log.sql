-- Who changed the person's deals, and who read about the person.
SELECT (to_jsonb(t) - 'lead_hash')::text FROM audit_log t
WHERE t.lead_hash = ANY (ARRAY(SELECT hashtextextended(a, 0) FROM unnest(@ids::text[]) AS a))
ORDER BY t.happened_at, t.id
