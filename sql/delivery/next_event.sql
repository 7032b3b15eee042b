-- Seconds until something may happen that a dispatcher with nothing to do could wait for: a retry falls due, a lease of another dispatcher
-- ends, or (0) a message is due that another one holds at this moment. Null: nothing.
SELECT least(
  (SELECT extract(epoch FROM min(m.not_before) - sales_now())
   FROM outbox_messages m
   WHERE m.status = 'pending' AND m.channel = @channel AND m.attempts > 0 AND m.not_before > sales_now() AND @retries),
  (SELECT extract(epoch FROM min(m.lease_until) - clock_timestamp())
   FROM outbox_messages m
   WHERE m.status IN ('leased', 'sending') AND m.channel = @channel),
  (SELECT 0
   FROM judge_messages(ARRAY(
     SELECT m.id FROM outbox_messages m
     WHERE m.status = 'pending' AND m.channel = @channel AND m.not_before <= sales_now()
     ORDER BY m.not_before, m.id
     LIMIT 100)) AS j
   WHERE j.verdict <> 'wait'
   LIMIT 1))::double precision AS seconds
