-- Links records nobody knew to leads of the same e-mail address that are in the CRM under no other record; each to one, the oldest.
WITH candidates AS (
  SELECT DISTINCT ON (i.crm_id) i.crm_id, l.ext_id
  FROM jsonb_to_recordset(@items::jsonb) AS i (crm_id text, email text)
  JOIN leads l ON lower(l.email) = i.email
  LEFT JOIN crm_links k ON k.crm = @crm AND k.object = 'lead' AND k.lead_ext_id = l.ext_id
  WHERE k.id IS NULL OR (k.crm_id IS NULL AND k.status = 'active' AND coalesce(k.lease_until <= clock_timestamp(), true))
  ORDER BY i.crm_id, l.lead_id
), chosen AS (
  SELECT DISTINCT ON (ext_id) crm_id, ext_id FROM candidates ORDER BY ext_id, crm_id
), known AS (
  UPDATE crm_links k SET crm_id = c.crm_id, changes = k.changes + 1
  FROM chosen c
  WHERE k.crm = @crm AND k.object = 'lead' AND k.lead_ext_id = c.ext_id AND k.crm_id IS NULL
  RETURNING k.crm_id, k.id
), added AS (
  INSERT INTO crm_links (crm, object, key, lead_ext_id, crm_id)
  SELECT @crm, 'lead', c.ext_id, c.ext_id, c.crm_id FROM chosen c
  WHERE NOT EXISTS (SELECT FROM crm_links k WHERE k.crm = @crm AND k.object = 'lead' AND k.lead_ext_id = c.ext_id)
  ON CONFLICT DO NOTHING
  RETURNING crm_id, id
)
SELECT crm_id, id FROM known UNION ALL SELECT crm_id, id FROM added
