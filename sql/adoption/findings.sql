-- What was mended and what was set aside, by table, rule and column, with up to three keys as examples; of words that nobody knows up to ten of
-- the words themselves, the most frequent first, for they are what --word is to be given, and stand before what was merely
-- mended: people are shown the beginning. What may be somebody's address or number is not shown.
SELECT
  f.table_name::text, f.rule, f.column_name::text, count(*) AS rows,
  CASE WHEN f.rule = 'unknown_value' THEN ARRAY(
    SELECT u.was
    FROM adoption_findings u
    WHERE u.table_name = f.table_name AND u.rule = f.rule AND u.column_name IS NOT DISTINCT FROM f.column_name
      AND u.was ~ '^[^@[:cntrl:]]{1,40}$' AND u.was !~ '[0-9]{7}'
    GROUP BY u.was
    ORDER BY count(*) DESC, u.was
    LIMIT 10)
  ELSE (array_agg(f.row_key ORDER BY f.id) FILTER (
    WHERE f.row_key ~ '^[A-Za-z0-9_.:#-]{1,40}$' AND f.row_key !~ '[0-9]{7}' AND f.row_key !~ '^(column|view|key|grant|trigger|index|policy|function|type|table|sequence)$')
  )[1:3] END AS examples,
  count(f.old_row) AS set_aside
FROM adoption_findings f
GROUP BY f.table_name, f.rule, f.column_name
ORDER BY (count(f.old_row) = 0), (f.rule <> 'unknown_value'), f.rule, f.table_name, f.column_name
