-- Ends an experiment. Not before it began, where the clocks of two machines disagree.
UPDATE experiments SET ended_at = greatest(@as_of, started_at), ended_by = @actor WHERE id = @id
