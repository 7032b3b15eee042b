-- Stored files that name the person, byte for byte: every file is read, 0.1 s for 100 MB.
SELECT f.sha256
FROM stored_files f
WHERE EXISTS (SELECT FROM unnest(@words::text[]) AS w WHERE position(convert_to(w, 'UTF8') IN f.content) > 0)
