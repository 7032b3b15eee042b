-- Links deals nobody knew through the lead they belong to: to its deal here, which is made where there is none. A lead whose deal is in the
-- CRM under another record is left alone: it has one deal.
WITH wanted AS MATERIALIZED (
  SELECT DISTINCT ON (k.lead_ext_id) i.crm_id, i.related_id, k.lead_ext_id, l.email, l.first_name, l.last_name, l.phone, l.source, l.score, l.priority
  FROM jsonb_to_recordset(@items::jsonb) AS i (crm_id text, related_id text)
  JOIN crm_links k ON k.crm = @crm AND k.object = 'lead' AND k.crm_id = i.related_id AND k.status = 'active'
  JOIN leads l ON l.ext_id = k.lead_ext_id
  LEFT JOIN crm_links d ON d.crm = @crm AND d.object = 'deal' AND d.lead_ext_id = k.lead_ext_id
  WHERE d.id IS NULL OR (d.crm_id IS NULL AND d.status = 'active' AND coalesce(d.lease_until <= clock_timestamp(), true))
  ORDER BY k.lead_ext_id, i.crm_id
), made AS (
  INSERT INTO sales_pipeline (lead_ext_id, email, first_name, last_name, phone, source, score, priority)
  SELECT w.lead_ext_id, coalesce(w.email, ''), w.first_name, w.last_name, w.phone, w.source, w.score, w.priority
  FROM wanted w
  WHERE @create::boolean
  ORDER BY w.lead_ext_id
  ON CONFLICT (lead_ext_id) DO NOTHING
  RETURNING lead_ext_id
), known AS (
  UPDATE crm_links d SET crm_id = w.crm_id, related_to = w.related_id, changes = d.changes + 1
  FROM wanted w
  WHERE d.crm = @crm AND d.object = 'deal' AND d.lead_ext_id = w.lead_ext_id AND d.crm_id IS NULL
  RETURNING d.crm_id, d.id
), added AS (
  INSERT INTO crm_links (crm, object, key, lead_ext_id, crm_id, related_to)
  SELECT @crm, 'deal', w.lead_ext_id, w.lead_ext_id, w.crm_id, w.related_id
  FROM wanted w
  WHERE NOT EXISTS (SELECT FROM crm_links d WHERE d.crm = @crm AND d.object = 'deal' AND d.lead_ext_id = w.lead_ext_id)
    AND (EXISTS (SELECT FROM made m WHERE m.lead_ext_id = w.lead_ext_id)
      OR EXISTS (SELECT FROM sales_pipeline p WHERE p.lead_ext_id = w.lead_ext_id))
  ON CONFLICT DO NOTHING
  RETURNING crm_id, id, lead_ext_id
)
SELECT crm_id, id, false AS made FROM known
UNION ALL
SELECT a.crm_id, a.id, EXISTS (SELECT FROM made m WHERE m.lead_ext_id = a.lead_ext_id) FROM added a
