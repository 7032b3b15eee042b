-- Moves the next @chunk messages of campaigns after @after that wait for a later time to learned hours, within the campaign's own window too.
-- Only those that nothing else put off and that timing did not set before; what a dispatcher holds is left alone. The next step counts from the sending, so
-- order is kept.
WITH candidate AS MATERIALIZED (
  SELECT m.id, m.lead_ext_id, m.channel, m.not_before, m.window_days, m.window_start, m.window_end
  FROM outbox_messages m
  WHERE m.id > @after AND m.status = 'pending' AND m.purpose = 'campaign' AND m.reaches_lead AND m.attempts = 0 AND m.reason IS NULL
    AND m.channel IN ('email', 'call') AND m.not_before > @as_of
    AND NOT EXISTS (SELECT FROM timing_moves v WHERE v.kind = 'message' AND v.id = m.id)
  ORDER BY m.id
  LIMIT @chunk
  FOR UPDATE OF m SKIP LOCKED
), placed AS MATERIALIZED (
  SELECT c.*, contact_slot(c.lead_ext_id, c.channel, c.not_before, 3, NULL, c.window_days, c.window_start, c.window_end) AS slot FROM candidate c
), moved AS (
  UPDATE outbox_messages m SET not_before = p.slot FROM placed p WHERE m.id = p.id AND p.slot <> p.not_before RETURNING m.id
), kept AS (
  INSERT INTO timing_moves (kind, id, lead_ext_id, plain_at, moved_to, moved_at)
  SELECT 'message', p.id, p.lead_ext_id, p.not_before, p.slot, @as_of FROM placed p WHERE p.slot <> p.not_before ORDER BY p.id
)
SELECT count(*), coalesce(max(id), 0), (SELECT count(*) FROM moved) FROM candidate
