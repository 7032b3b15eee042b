-- What a run would do with the messages due now, nothing written.
SELECT m.channel, j.verdict, count(*) AS messages
FROM judge_messages(ARRAY(
  SELECT id FROM outbox_messages
  WHERE status = 'pending' AND channel = ANY (@channels) AND not_before <= sales_now()
  ORDER BY not_before, id
  LIMIT @limit)) AS j
JOIN outbox_messages m ON m.id = j.message_id
GROUP BY m.channel, j.verdict
