-- What was mended and what was set aside, by table, rule and column, with up to three keys as examples. A key that may be somebody's address
-- or number is not shown.
SELECT
  f.table_name::text, f.rule, f.column_name::text, count(*) AS rows,
  (array_agg(f.row_key ORDER BY f.id) FILTER (
    WHERE f.row_key ~ '^[A-Za-z0-9_.:#-]{1,40}$' AND f.row_key !~ '[0-9]{7}' AND f.row_key !~ '^(column|view|key|grant|trigger|index|policy|function|type|table|sequence)$')
  )[1:3] AS examples,
  count(f.old_row) AS set_aside
FROM adoption_findings f
GROUP BY f.table_name, f.rule, f.column_name
ORDER BY (count(f.old_row) = 0), f.rule, f.table_name, f.column_name
