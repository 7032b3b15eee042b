-- What a backup says about the database it is of.
SELECT
  current_database()::text AS database, current_schema()::text AS schema, current_setting('server_version_num')::int / 10000 AS server_major,
  current_setting('server_version') AS server_version, pg_encoding_to_char(d.encoding)::text AS encoding, d.datcollate::text AS collation,
  d.datctype::text AS ctype, pg_database_size(d.oid) AS bytes
FROM pg_database d
WHERE d.datname = current_database()
