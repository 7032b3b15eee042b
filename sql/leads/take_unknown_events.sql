-- Takes the staged events from @first to @last that insert_events.sql found no lead for.
DELETE FROM lead_import_events e
WHERE e.import_id = @import_id AND e.seq BETWEEN @first AND @last
RETURNING e.file, e.line, e.raw
