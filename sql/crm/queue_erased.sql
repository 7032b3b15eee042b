-- Records nobody knew that are of persons who were erased: the CRM has to erase them too, and they make no lead. Looked up one by one, see match_links.
WITH asked AS MATERIALIZED (
  SELECT t.crm_id, t.key, t.properties ->> 'email' AS email, t.properties ->> 'phone' AS phone, row_number() OVER (ORDER BY t.crm_id) AS place
  FROM unnest(@crm_ids::text[]) AS i (crm_id)
  CROSS JOIN LATERAL (
    SELECT o.crm_id, o.key, o.properties FROM crm_staged o WHERE o.crm = @crm AND o.object = @object AND o.crm_id = i.crm_id OFFSET 0
  ) AS t
  WHERE (SELECT EXISTS (SELECT FROM privacy_tombstones))
), found AS MATERIALIZED (
  SELECT a.crm_id, e.kind
  FROM erased_persons(
    (SELECT array_agg(key::text ORDER BY place) FROM asked), (SELECT array_agg(email ORDER BY place) FROM asked),
    (SELECT array_agg(phone ORDER BY place) FROM asked)) AS e
  JOIN asked a USING (place)
), queued AS (
  INSERT INTO privacy_crm_erasures (crm, object, crm_id)
  SELECT @crm, @object, f.crm_id FROM found f ORDER BY f.crm_id
  ON CONFLICT DO NOTHING
), noted AS (
  INSERT INTO privacy_refusals (way, kind) SELECT 'crm', f.kind FROM found f
)
SELECT f.crm_id::text FROM found f
