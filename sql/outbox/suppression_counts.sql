-- How many addresses are suppressed, by channel and reason.
SELECT channel, reason, count(*) AS addresses, max(suppressed_at) AS latest
FROM suppressions
WHERE NOT sealed
GROUP BY channel, reason
ORDER BY channel, reason
