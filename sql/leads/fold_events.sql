-- Before a dry run's batches: drops staged events that repeat an earlier one, which a real run meets as already inserted.
DELETE FROM lead_import_events e
USING (
  SELECT
    seq,
    row_number() OVER (PARTITION BY source, source_event_id, lead_ext_id, email ORDER BY seq) AS occurrence
  FROM lead_import_events
  WHERE import_id = @import_id
) AS k
WHERE e.import_id = @import_id AND e.seq = k.seq AND k.occurrence > 1
