-- Makes one row of all rows of a run with the same ext_id: of each column the last value given, in the place of the first. So the outcome
-- does not depend on batches, and the second import of a file finds nothing to change. Columns in @erase count when they are empty too.
-- Rows are folded as documents because there are few of them; the rest of the staged rows is only hashed (under 2 % of an import).
WITH repeated AS MATERIALIZED (
  SELECT ext_id FROM lead_import_rows WHERE import_id = @import_id GROUP BY ext_id HAVING count(*) > 1
), taken AS (
  DELETE FROM lead_import_rows r USING repeated p WHERE r.import_id = @import_id AND r.ext_id = p.ext_id RETURNING r.*
), attributes AS (
  SELECT t.ext_id, jsonb_object_agg(e.key, e.value ORDER BY t.seq)::text AS document
  FROM taken t
  CROSS JOIN LATERAL jsonb_each(t.attributes::jsonb) AS e
  GROUP BY t.ext_id
), folded AS (
  SELECT t.ext_id, min(t.seq) AS seq, jsonb_object_agg(e.key, e.value ORDER BY t.seq) AS document
  FROM taken t
  CROSS JOIN LATERAL jsonb_each(to_jsonb(t)) AS e
  WHERE e.value <> 'null' OR e.key = ANY (@erase::text[])
  GROUP BY t.ext_id
), added AS (
  INSERT INTO lead_import_rows
  SELECT r.*
  FROM folded f
  LEFT JOIN attributes a USING (ext_id)
  CROSS JOIN LATERAL jsonb_populate_record(
    NULL::lead_import_rows, f.document || jsonb_build_object('seq', f.seq, 'attributes', a.document)) AS r
  RETURNING 1
)
SELECT (SELECT count(*) FROM taken) - (SELECT count(*) FROM added)
