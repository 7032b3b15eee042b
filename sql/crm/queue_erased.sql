-- Records nobody knew that are of persons who were erased: the CRM has to erase them too, and they make no lead. Told by the values that were
-- read, since staged ones may be sealed.
WITH found AS MATERIALIZED (
  SELECT i.crm_id, e.kind
  FROM erased_persons(@keys::text[], @emails::text[], @phones::text[]) AS e
  JOIN unnest(@crm_ids::text[]) WITH ORDINALITY AS i (crm_id, place) USING (place)
), queued AS (
  INSERT INTO privacy_crm_erasures (crm, object, crm_id)
  SELECT @crm, @object, f.crm_id FROM found f ORDER BY f.crm_id
  ON CONFLICT DO NOTHING
), noted AS (
  INSERT INTO privacy_refusals (way, kind) SELECT 'crm', f.kind FROM found f
)
SELECT f.crm_id::text FROM found f
