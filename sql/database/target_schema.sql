-- The schema our objects belong in: the first of search_path, whether it exists or not ("$user" counts only where that schema exists).
-- current_schema() alone would silently fall through to the next one, and a neighbour's tables would be taken for ours.
SELECT
  coalesce(target.name, '') AS schema_name,
  coalesce(to_regnamespace(quote_ident(target.name)) IS NOT NULL, false) AS schema_exists,
  coalesce(target.name = current_schema(), false) AS schema_usable,
  EXISTS (
    SELECT FROM pg_class WHERE relname = 'schema_migrations' AND relnamespace = to_regnamespace(quote_ident(target.name))
  ) AS journal_exists,
  current_user::text AS role_name
FROM (SELECT 1) AS always
LEFT JOIN (
  SELECT CASE WHEN entry = '$user' THEN current_user::text ELSE entry END AS name
  FROM (
    SELECT
      position,
      CASE WHEN item[1] LIKE '"%'
        THEN replace(substr(item[1], 2, length(item[1]) - 2), '""', '"')
        ELSE lower(btrim(item[1]))
      END AS entry
    FROM regexp_matches(current_setting('search_path'), '("(?:[^"]|"")*"|[^",\s][^,]*)', 'g') WITH ORDINALITY AS list (item, position)
  ) AS entries
  WHERE entry <> '$user' OR to_regnamespace(quote_ident(current_user::text)) IS NOT NULL
  ORDER BY position
  LIMIT 1
) AS target ON true
