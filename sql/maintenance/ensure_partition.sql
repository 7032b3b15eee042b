-- Makes the month's partition and moves the rows there that wait in the default partition; false where another run has made it meanwhile.
SELECT CASE @table::text WHEN 'audit_log' THEN ensure_audit_partition(@month_at) ELSE ensure_lead_scores_partition(@month_at) END
