-- What was asked about the person before.
SELECT (to_jsonb(t) - 'subject_hash')::text FROM privacy_requests t
WHERE t.subject_hash = ANY (ARRAY(
  SELECT person_hash('ext_id', a) FROM unnest(@ids::text[]) AS a
  UNION ALL SELECT person_hash('email', a) FROM unnest(@emails::text[]) AS a
  UNION ALL SELECT person_hash('phone', a) FROM unnest(@digits::text[]) AS a))
ORDER BY t.id
