-- Keeps what was read until it is merged; of a record that was read twice the later.
INSERT INTO crm_staged AS s (crm, object, crm_id, key, modified_at, deleted, merged_ids, related_id, properties)
SELECT @crm, @object, i.crm_id, i.key, i.modified_at, i.deleted, ARRAY(SELECT jsonb_array_elements_text(i.merged_ids)), i.related_id, i.properties
FROM jsonb_to_recordset(@items::jsonb) AS i (
  crm_id text, key text, modified_at timestamptz, deleted boolean, merged_ids jsonb, related_id text, properties jsonb)
ORDER BY i.crm_id
ON CONFLICT (crm, object, crm_id) DO UPDATE
SET key = excluded.key, modified_at = excluded.modified_at, deleted = excluded.deleted, merged_ids = excluded.merged_ids,
    related_id = coalesce(excluded.related_id, s.related_id), properties = excluded.properties
WHERE excluded.deleted OR excluded.modified_at >= s.modified_at
