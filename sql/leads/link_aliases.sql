-- Rows that came in under an id known as another name of a lead. A lead of that very id comes first.
UPDATE lead_import_rows r
SET target = a.ext_id
FROM lead_aliases a
WHERE r.import_id = @import_id
  AND a.alias_ext_id = r.ext_id
  AND NOT EXISTS (SELECT 1 FROM leads l WHERE l.ext_id = r.ext_id)
