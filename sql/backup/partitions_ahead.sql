-- The partitions of the months to come, before the dump holds its locks: a job that needed one would wait for the end of the dump.
SELECT count(ensure_lead_scores_partition(@as_of + make_interval(months => n))) FROM generate_series(0, 2) AS n
