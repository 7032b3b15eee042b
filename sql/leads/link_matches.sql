-- Points the rows at the leads they were found to be.
UPDATE lead_import_rows r
SET target = m.target
FROM unnest(@seqs::bigint[], @targets::text[]) AS m (seq, target)
WHERE r.import_id = @import_id AND r.seq = m.seq
