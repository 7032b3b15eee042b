-- The next due messages of a channel, those first that wait longest, together with the locks of their leads, for claim.sql in the same
-- transaction. What another dispatcher holds is passed over, and so is a message with another one of its lead before it: the same rule as
-- in judge_messages, which looks again once the lead's lock is held. LIMIT 1 keeps the planner from turning the inner query into a join
-- that reads the whole table. IS NOT TRUE, which it takes to hold for every second message, lets it walk the index of what is pending and stop at @limit;
-- with IS NULL (one in 200, it thinks) each claim judged and sorted everything that was waiting: 20,000 messages took 55 s of the server's
-- processor, 200,000 would have taken a hundred times as long.
WITH due AS MATERIALIZED (
  SELECT m.id, m.lead_ext_id
  FROM outbox_messages m
  WHERE m.status = 'pending' AND m.channel = @channel AND m.not_before <= sales_now()
    AND (
      SELECT true FROM outbox_messages o
      WHERE o.lead_ext_id = m.lead_ext_id AND o.id <> m.id
        AND (
          (o.status IN ('leased', 'sending') AND (o.channel = m.channel OR (o.reaches_lead AND m.reaches_lead)))
          OR (o.status = 'pending' AND o.channel = m.channel AND o.id < m.id
            AND (o.not_before <= sales_now() OR (o.attempts > 0 AND o.reason IS DISTINCT FROM 'execution_paused'))))
      LIMIT 1) IS NOT TRUE
  ORDER BY m.not_before, m.id
  LIMIT @limit
  FOR UPDATE SKIP LOCKED
)
SELECT id
FROM due
WHERE lead_ext_id IS NULL OR pg_try_advisory_xact_lock(hashtextextended(concat('salestasks.outbox.', current_schema(), '.', lead_ext_id), 0))
