-- Makes leads of records nobody knew, with their links; the values come with the merge.
WITH wanted AS MATERIALIZED (
  SELECT i.crm_id, (@crm || '-' || i.crm_id)::varchar(128) AS ext_id
  FROM unnest(@crm_ids::text[]) AS i (crm_id)
  ORDER BY i.crm_id
), made AS (
  INSERT INTO leads (ext_id, source) SELECT ext_id, 'crm' FROM wanted ON CONFLICT (ext_id) DO NOTHING RETURNING ext_id
)
INSERT INTO crm_links (crm, object, key, lead_ext_id, crm_id, pending)
SELECT @crm, 'lead', w.ext_id, w.ext_id, w.crm_id, false
FROM wanted w
JOIN made m ON m.ext_id = w.ext_id
ON CONFLICT DO NOTHING
RETURNING crm_id, id
