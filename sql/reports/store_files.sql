-- Keeps contents that are not kept yet; in the order of their hashes, so that two builds do not wait for each other crosswise.
INSERT INTO stored_files (sha256, content_type, content)
SELECT DISTINCT ON (sha256) sha256, content_type, content
FROM unnest(@hashes::bytea[], @types::text[], @contents::bytea[]) AS f (sha256, content_type, content)
ORDER BY sha256
ON CONFLICT (sha256) DO NOTHING
