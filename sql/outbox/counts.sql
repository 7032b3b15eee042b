-- How many messages are in which state, by channel.
SELECT channel, status, count(*) AS messages
FROM outbox_messages
GROUP BY channel, status
ORDER BY channel, status
