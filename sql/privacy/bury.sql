-- From now on nobody stores a person with one of these. One that is known from an earlier erasure stays with that.
INSERT INTO privacy_tombstones (person_hash, kind, request_id, address_hashes)
SELECT
  person_hash(v.kind, v.value), v.kind, @request_id::bigint, coalesce(array_agg(address_hash(v.kind, v.value)) FILTER (WHERE v.kind <> 'ext_id'), '{}')
FROM (
  SELECT 'ext_id' AS kind, unnest(@ext_ids::text[]) AS value
  UNION ALL SELECT 'email', unnest(@emails::text[])
  UNION ALL SELECT 'phone', unnest(@numbers::text[])
) AS v
WHERE person_text(v.kind, v.value) IS NOT NULL
GROUP BY 1, 2
ORDER BY 1
ON CONFLICT (person_hash) DO NOTHING
