-- Takes the rows that were found to be duplicates and are not wanted.
DELETE FROM lead_import_rows r
WHERE r.import_id = @import_id AND r.seq = ANY (@seqs::bigint[])
RETURNING r.file, r.line, r.raw
