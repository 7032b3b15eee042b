-- What the last analysis counted gives way to what this one counts.
WITH counts AS (DELETE FROM timing_counts) DELETE FROM timing_gaps
