-- Partitions of the score history that lie wholly before the months to keep: the current one and @months before it.
SELECT c.relname::text AS name
FROM pg_inherits i
JOIN pg_class c ON c.oid = i.inhrelid
WHERE i.inhparent = 'lead_scores'::regclass AND c.relname ~ '^lead_scores_[0-9]{6}$'
  AND to_date(right(c.relname, 6), 'YYYYMM') < date_trunc('month', @as_of AT TIME ZONE 'UTC') - make_interval(months => @months::int)
ORDER BY c.relname
