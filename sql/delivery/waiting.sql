-- Messages that are due, by channel.
SELECT channel, count(*) AS messages
FROM outbox_messages
WHERE status = 'pending' AND channel = ANY (@channels) AND not_before <= sales_now()
GROUP BY channel
