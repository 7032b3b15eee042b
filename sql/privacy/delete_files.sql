-- The files themselves.
DELETE FROM stored_files f WHERE f.sha256 = ANY (@files::bytea[])
