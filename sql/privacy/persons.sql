-- What tells these leads apart from others: ids, addresses and names, the deal's beside the lead's own.
SELECT
  l.ext_id, l.lead_id, p.id AS deal_id,
  array_remove(ARRAY[nullif(btrim(l.email), ''), nullif(btrim(p.email), '')]::text[], NULL) AS emails,
  array_remove(ARRAY[
    CASE WHEN l.phone ~ '([0-9][^0-9]*){6}' THEN l.phone END, CASE WHEN p.phone ~ '([0-9][^0-9]*){6}' THEN p.phone END]::text[], NULL) AS phones,
  array_remove(ARRAY[nullif(btrim(l.first_name), ''), nullif(btrim(p.first_name), '')]::text[], NULL) AS first_names,
  array_remove(ARRAY[nullif(btrim(l.last_name), ''), nullif(btrim(p.last_name), '')]::text[], NULL) AS last_names,
  ARRAY(SELECT a.alias_ext_id::text FROM lead_aliases a WHERE a.ext_id = l.ext_id ORDER BY 1) AS aliases,
  l.erased_at IS NOT NULL AS erased
FROM leads l
LEFT JOIN sales_pipeline p ON p.lead_ext_id = l.ext_id
WHERE l.ext_id = ANY (@leads::text[])
ORDER BY l.ext_id
