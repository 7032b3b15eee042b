-- Takes the rows from @first to @last of persons who were erased: they are not stored again. Where nobody was, nothing is read. Where numbers are
-- sealed, rows hold @tokens in the place of @numbers, and the erased are known by the numbers.
WITH asked AS MATERIALIZED (
  SELECT r.seq, r.ext_id, r.email, coalesce(n.number, r.phone) AS phone, row_number() OVER (ORDER BY r.seq) AS place
  FROM lead_import_rows r
  LEFT JOIN unnest(@tokens::text[], @numbers::text[]) AS n (token, number) ON n.token = r.phone
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
