-- Takes the rows from @first to @last of persons who were erased: they are not stored again. Where nobody was, nothing is read.
WITH asked AS MATERIALIZED (
  SELECT r.seq, r.ext_id, r.email, r.phone, row_number() OVER (ORDER BY r.seq) AS place
  FROM lead_import_rows r
  WHERE r.import_id = @import_id AND r.seq BETWEEN @first AND @last AND (SELECT EXISTS (SELECT FROM privacy_tombstones))
), found AS MATERIALIZED (
  SELECT a.seq, e.kind
  FROM erased_persons(
    (SELECT array_agg(ext_id::text ORDER BY place) FROM asked), (SELECT array_agg(email::text ORDER BY place) FROM asked),
    (SELECT array_agg(phone::text ORDER BY place) FROM asked)) AS e
  JOIN asked a USING (place)
), taken AS (
  DELETE FROM lead_import_rows r
  USING found f
  WHERE r.import_id = @import_id AND r.seq = f.seq
  RETURNING r.file, r.line, f.kind
), noted AS (
  INSERT INTO privacy_refusals (way, kind) SELECT 'import', t.kind FROM taken t
)
SELECT t.file, t.line FROM taken t ORDER BY t.file, t.line
