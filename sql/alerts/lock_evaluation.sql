-- Two evaluations take turns: the second finds what the first has opened.
SELECT pg_advisory_xact_lock(hashtextextended('salestasks.alerts.evaluate.' || current_schema(), 0))
