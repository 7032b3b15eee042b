-- Alerts that wait for a person now.
SELECT count(*) FROM alerts WHERE ended_at IS NULL AND status <> 'resolved'
