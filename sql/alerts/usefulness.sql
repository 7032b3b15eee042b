-- How useful the alerts of the last 90 days were, by kind.
SELECT kind, opened, critical, acknowledged, acted_on, useful, useful_pct, resolved_by_people, still_open, median_hours_to_action
FROM v_alert_usefulness
ORDER BY kind
