-- The files that a message refers to, by the hash of their content; what is larger than a message may be is not read.
SELECT encode(sha256, 'hex'), length(content)::bigint, CASE WHEN length(content) <= @limit::int THEN content END
FROM stored_files
WHERE sha256 = ANY (SELECT decode(hash, 'hex') FROM unnest(@hashes::text[]) AS hash)
