-- Turns listed changes into links that a push has to look at: of the lead, where it is to be pushed, and of its deal. A record whose
-- counterpart was deleted in the CRM stays as it is: it is not made again.
WITH taken AS (
  DELETE FROM crm_changes
  WHERE id IN (SELECT id FROM crm_changes WHERE crm = @crm ORDER BY id LIMIT @limit)
  RETURNING lead_ext_id, changed_at
), changed AS MATERIALIZED (
  SELECT t.lead_ext_id, max(t.changed_at) AS changed_at, bool_or(p.id IS NOT NULL) AS has_deal
  FROM taken t
  JOIN leads l ON l.ext_id = t.lead_ext_id AND l.erased_at IS NULL
  LEFT JOIN sales_pipeline p ON p.lead_ext_id = t.lead_ext_id
  GROUP BY t.lead_ext_id
), wanted AS MATERIALIZED (
  SELECT o.object, c.lead_ext_id, c.changed_at
  FROM changed c
  CROSS JOIN (VALUES ('lead'), ('deal')) AS o (object)
  WHERE c.has_deal OR (o.object = 'lead' AND (@all_leads::boolean OR EXISTS (
    SELECT FROM crm_links k WHERE k.crm = @crm AND k.object = 'lead' AND k.lead_ext_id = c.lead_ext_id)))
), known AS (
  SELECT k.id, w.changed_at
  FROM wanted w JOIN crm_links k ON k.crm = @crm AND k.object = w.object AND k.lead_ext_id = w.lead_ext_id
  ORDER BY k.id
  FOR NO KEY UPDATE OF k
), marked AS (
  UPDATE crm_links k
  SET status = CASE WHEN k.status = 'deleted_here' THEN 'active' ELSE k.status END,
      pending = k.status IN ('active', 'deleted_here'), changes = k.changes + 1, changed_at = greatest(k.changed_at, n.changed_at)
  FROM known n
  WHERE k.id = n.id
  RETURNING k.object, k.lead_ext_id
), added AS (
  INSERT INTO crm_links AS k (crm, object, key, lead_ext_id, changed_at)
  SELECT @crm, w.object, w.lead_ext_id, w.lead_ext_id, w.changed_at
  FROM wanted w
  WHERE NOT EXISTS (SELECT FROM crm_links o WHERE o.crm = @crm AND o.object = w.object AND o.lead_ext_id = w.lead_ext_id)
  ORDER BY w.object DESC, w.lead_ext_id
  -- A lead that was deleted and came back under its id.
  ON CONFLICT (crm, object, key) DO UPDATE
  SET lead_ext_id = excluded.lead_ext_id, status = CASE WHEN k.status = 'deleted_here' THEN 'active' ELSE k.status END, pending = true,
      changes = k.changes + 1, changed_at = excluded.changed_at
  WHERE k.lead_ext_id IS NULL
  RETURNING k.id
)
SELECT (SELECT count(*) FROM taken) AS taken, (SELECT count(*) FROM marked) + (SELECT count(*) FROM added) AS links
