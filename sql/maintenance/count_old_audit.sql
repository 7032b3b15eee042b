-- What drop_old_audit would drop.
SELECT count(*)
FROM pg_inherits i
JOIN pg_class c ON c.oid = i.inhrelid
CROSS JOIN audit_retention r
WHERE i.inhparent = 'audit_log'::regclass AND c.relname ~ '^audit_log_[0-9]{6}$'
  AND to_date(right(c.relname, 6), 'YYYYMM') < date_trunc('month', now() AT TIME ZONE 'UTC') - make_interval(months => r.keep_months)
